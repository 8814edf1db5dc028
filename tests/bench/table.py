"""table.py - the bench's results from its raw figures: table.py RAW CLIENTS FOLDER.

Writes FOLDER/results.tsv (medians, one line per client, row and round-trip time),
results.txt (the same beside each other, with ratios to acme, and the goals) and
results.svg (a chart).  Nothing is in them that RAW and CLIENTS do not have.
"""

import math
import statistics
import sys

COLUMNS = ("client version row rtt_ms runs result wall_s cpu_s asleep_s processes memory_kib pss_kib "
           "connections handshakes requests round_trips bytes_up bytes_down installed_kib").split()
RAW = ("wall_us cpu_us processes memory_kib pss_kib connections handshakes requests round_trips "
       "bytes_up bytes_down busy_us").split()
# Those that watching a process does not change are taken from the runs that are timed.
WATCHED = ("processes", "memory_kib", "pss_kib")
TITLES = {
    "first": "first certificate with {}, account included",
    "renew": "renewal with {}",
    "http": "first certificate with {}, each really validated (http-01)",
    "idle": "renew with {} certificates, none of them due",
}
ROWS = ("first-1", "first-10", "first-100", "renew-1", "renew-100", "http-10", "idle-1000")
CLIENTS = ("acme", "lego", "lego-fast", "acmetool", "certbot", "uacme", "dehydrated", "acme.sh", "probe")
NEIGHBOURS = ("uacme", "acme.sh", "dehydrated", "certbot", "lego", "lego-fast")


def title(row):
    kind, count = row.split("-")
    if kind != "idle":
        count += " name" if count == "1" else " names"
    return TITLES[kind].format(count)


def number(text):
    return None if text in ("-", "") else int(text)


def read(raw_name, clients_name):
    """Results by (row, rtt, client), in the order of the tables above."""
    clients, runs = {}, {}
    with open(clients_name, encoding="utf-8") as file:
        for line in file:
            client, version, size = line.rstrip("\n").split("\t")
            clients[client] = (version, number(size))
    with open(raw_name, encoding="utf-8") as file:
        for line in file:
            client, row, rtt, mode, *rest = line.rstrip("\n").split("\t")
            if mode == "done":
                continue
            figures = dict(zip(RAW, map(number, rest[1:])))
            runs.setdefault((row, int(rtt), client), []).append((mode, rest[0], figures))
    results = {}
    for (row, rtt, client), all_runs in runs.items():
        results[row, rtt, client] = result(all_runs, other_rtt(runs, row, rtt, client))
        results[row, rtt, client].update(
            client=client, row=row, rtt_ms=rtt, version=clients.get(client, ("-", None))[0],
            installed_kib=clients.get(client, ("-", None))[1])
    return dict(sorted(results.items(), key=lambda item: (place(ROWS, item[0][0]), item[0][1],
                                                          place(CLIENTS, item[0][2]))))


def place(names, name):
    return (names.index(name), "") if name in names else (len(names), name)


def other_rtt(runs, row, rtt, client):
    """Watched runs of the same work at another round-trip time, for want of own ones."""
    return [run for (r, t, c), all_runs in runs.items() if r == row and c == client and t != rtt
            for run in all_runs if run[0] == "trace" and run[1] == "ok"]


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def result(all_runs, elsewhere):
    timed = [figures for mode, why, figures in all_runs if mode == "time" and why == "ok"]
    watched = [figures for mode, why, figures in all_runs if mode == "trace" and why == "ok"]
    watched = watched or [figures for _, _, figures in elsewhere]
    failed = [why for mode, why, _ in all_runs if mode == "time" and why != "ok"]
    out = {"runs": len(timed), "result": failed[-1] if failed and not timed else "ok"}
    if not timed:
        return out
    for name in RAW:
        out[name] = median(run[name] for run in (watched if name in WATCHED else timed))
    out["wall_s"] = out["wall_us"] / 1e6
    out["cpu_s"] = out["cpu_us"] / 1e6
    out["asleep_s"] = max(0, median(run["wall_us"] - run["busy_us"] - run["cpu_us"] for run in timed)) / 1e6
    return out


def write_tsv(results, name):
    with open(name, "w", encoding="utf-8") as file:
        print("\t".join(COLUMNS), file=file)
        for entry in results.values():
            print("\t".join(cell(column, entry.get(column)) for column in COLUMNS), file=file)


def cell(column, value):
    """Whole numbers, but for seconds."""
    if value is None:
        return "-"
    return f"{value:.3f}" if column.endswith("_s") else f"{value:.0f}" if isinstance(value, float) else str(value)


# --- the table --------------------------------------------------------------

def against(value, base, digits):
    if value is None:
        return "-", ""
    shown = f"{value:.{digits}f}"
    if not base:
        return shown, ""
    ratio = value / base
    return shown, f"x{ratio:.1f}" if ratio < 100 else f"x{ratio:.0f}"


def table(results, row, rtt, file):
    entries = [entry for (r, t, _), entry in results.items() if (r, t) == (row, rtt)]
    base = results.get((row, rtt, "acme"), {})
    print(f"\n{title(row)}; {rtt} ms round trip\n", file=file)
    head = ("client", "wall s", "", "CPU s", "", "asleep s", "KiB", "", "PSS", "procs", "conns", "TLS",
            "requests", "trips", "KB up", "KB down", "runs")
    lines = [head]
    for entry in entries:
        if entry["result"] != "ok":
            lines.append((entry["client"], "failed: " + entry["result"]))
            continue
        own = entry["client"] == "acme"
        line = [entry["client"]]
        for name, digits in (("wall_s", 2), ("cpu_s", 3)):
            line += against(entry[name], None if own else base.get(name), digits)
        line.append(f"{entry['asleep_s']:.2f}")
        line += against(entry["memory_kib"], None if own else base.get("memory_kib"), 0)
        for name in ("pss_kib", "processes", "connections", "handshakes", "requests", "round_trips"):
            line.append("-" if entry[name] is None else f"{entry[name]:.0f}")
        line += [f"{entry['bytes_up'] / 1e3:.1f}", f"{entry['bytes_down'] / 1e3:.1f}", str(entry["runs"])]
        lines.append(tuple(line))
    widths = [max(len(line[i]) for line in lines if len(line) == len(head)) for i in range(len(head))]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        if len(line) == len(head):
            cells += [cell.ljust(width) if head[i] == "" else cell.rjust(width)
                      for i, (cell, width) in list(enumerate(zip(line, widths)))[1:]]
        else:
            cells.append(" " + line[1])
        print("  ".join(cells).rstrip(), file=file)


# --- goals --------------------------------------------------------------------

def goals(results):
    """Lines (goal, whether it is reached, by how much); None where a figure is missing."""
    out = []

    def get(row, rtt, client, name):
        return results.get((row, rtt, client), {}).get(name)

    def goal(what, value, good, how):
        if value is None:
            out.append((what, "not measured", ""))
        else:
            out.append((what, "yes" if good(value) else "NO", how(value)))

    def fastest(row, rtt, name="wall_s", among=NEIGHBOURS):
        found = [(get(row, rtt, client, name), client) for client in among]
        found = [pair for pair in found if pair[0] is not None]
        return min(found) if found else (None, "")

    def ratio(value, base):
        return value / base if value is not None and base else None

    def beside(name):
        return lambda value: f"{value:.1f} times, {name} being next"

    wall = get("first-100", 100, "acme", "wall_s")
    goal("100 names, 100 ms: under 45 round trips", get("first-100", 100, "acme", "round_trips"),
         lambda v: v < 45, lambda v: f"{v:.0f}")
    best, who = fastest("first-100", 100)
    goal("... 6 times faster than every neighbour", ratio(best, wall), lambda v: v >= 6, beside(who))
    goal("... 8 times, where the server allows more nonces", ratio(best, wall), lambda v: v >= 8, beside(who))
    tool, sleeps = get("first-100", 100, "acmetool", "wall_s"), get("first-100", 100, "acmetool", "asleep_s")
    awake = None if tool is None or wall is None else tool - sleeps
    goal("... faster than acmetool without its sleep", awake, lambda v: wall < v,
         lambda v: f"{wall:.2f} s, acmetool {v:.2f} s")
    ca = get("http-10", 0, "probe", "wall_s")
    ours = get("http-10", 0, "acme", "wall_s")
    goal("10 names really validated, 0 ms: within 0.3 s of the server's own time",
         None if ca is None or ours is None else ours - ca, lambda v: v <= 0.3,
         lambda v: f"{v:+.2f} s: {ours:.2f} s, the server {ca:.2f} s")
    best, who = fastest("first-1", 100)
    one = get("first-1", 100, "acme", "wall_s")
    goal("1 name, 100 ms: not slower than the fastest neighbour", ratio(best, one), lambda v: v >= 1,
         lambda v: f"{one:.2f} s, {who} {best:.2f} s")
    cpu = get("first-1", 0, "acme", "cpu_s")
    other = get("first-1", 0, "lego", "cpu_s")
    goal("1 name, 0 ms: CPU not above lego's", ratio(cpu, other), lambda v: v <= 1,
         lambda v: f"{cpu:.3f} s, lego {other:.3f} s")
    goal("... wall within the server's own time: nothing slept away", get("first-1", 0, "acme", "asleep_s"),
         lambda v: v <= 0.05, lambda v: f"{v:.2f} s asleep of {get('first-1', 0, 'acme', 'wall_s'):.2f} s")
    memory = [get("first-100", rtt, "acme", "memory_kib") for rtt in (0, 100)]
    memory = max((value for value in memory if value is not None), default=None)
    goal("100 names: peak memory under 1 MiB, hooks included", memory, lambda v: v < 1024, lambda v: f"{v:.0f} KiB")
    for client, times in (("lego", 25), ("uacme", 10)):
        goal(f"... {times} times below {client}", ratio(get("first-100", 0, client, "memory_kib"), memory),
             lambda v, times=times: v >= times, lambda v: f"{v:.1f} times")
    count = [get(row, rtt, "acme", "connections")
             for row in ("first-1", "first-10", "renew-1", "http-10") for rtt in (0, 100)]
    count = max((value for value in count if value is not None), default=None)
    goal("one connection up to 10 names", count, lambda v: v == 1, lambda v: f"{v:.0f}")
    goal("1,000 certificates, none due: under 50 ms of CPU", get("idle-1000", 0, "acme", "cpu_s"),
         lambda v: v < 0.05, lambda v: f"{v * 1e3:.0f} ms")
    goal("... and no connection", get("idle-1000", 0, "acme", "connections"), lambda v: v == 0, lambda v: f"{v:.0f}")
    size = next((entry["installed_kib"] for entry in results.values() if entry["client"] == "acme"), None)
    goal("all that is needed at most 400 KiB", size, lambda v: v <= 400, lambda v: f"{v} KiB")
    return out


def write_text(results, name):
    with open(name, "w", encoding="utf-8") as file:
        print("acme beside other clients; README here says how it is measured.\n"
              "x: times as much as acme.  KIB: peaks of all processes alive together, summed;\n"
              "PSS the same with shared pages counted once.  Medians; runs says of how many.\n".replace("KIB", "KiB"),
              file=file)
        seen = {}
        for entry in results.values():
            if entry["client"] != "probe":
                seen[entry["client"]] = (entry["version"], entry["installed_kib"])
        ours = seen.get("acme", ("", None))[1]
        print("client       version            KiB it needs", file=file)
        for client, (version, size) in seen.items():
            times = f"   x{size / ours:.0f}" if ours and size and client != "acme" else ""
            print(f"{client:12} {version:18} {cell('', size):>12}{times}", file=file)
        for row, rtt in dict.fromkeys((r, t) for r, t, _ in results):
            table(results, row, rtt, file)
        lines = [("goal", "reached", "by how much")] + goals(results)
        width = max(len(line[0]) for line in lines)
        print("\n", file=file)
        for what, reached, how in lines:
            print(f"{what.ljust(width)}  {reached:12}  {how}".rstrip(), file=file)


# --- the chart -------------------------------------------------------------------

CHART = (("first-100", 100), ("renew-100", 100), ("first-10", 100), ("first-1", 100), ("http-10", 0))
LEFT, WIDTH, BAR, GAP = 110, 560, 13, 34


def write_svg(results, name):
    shown = [(row, rtt, [(entry["client"], entry["wall_s"]) for (r, t, _), entry in results.items()
                         if (r, t) == (row, rtt) and entry.get("wall_s") and entry["client"] != "probe"])
             for row, rtt in CHART]
    shown = [panel for panel in shown if panel[2]]
    walls = [wall for _, _, bars in shown for _, wall in bars]
    if not walls:
        return
    low = math.floor(math.log10(min(walls) / 1.5))
    high = math.log10(max(walls))

    def x(seconds):
        return LEFT + WIDTH * (math.log10(seconds) - low) / (high - low)

    out, y = [], 44
    for row, rtt, bars in shown:
        out.append(f'<text x="0" y="{y}" class="t">{title(row)}, {rtt} ms</text>')
        y += 8
        for client, wall in sorted(bars, key=lambda bar: bar[1]):
            mine = ' class="a"' if client == "acme" else ""
            out.append(f'<text x="{LEFT - 6}" y="{y + BAR - 3}" text-anchor="end">{client}</text>'
                       f'<rect x="{LEFT}" y="{y}" width="{x(wall) - LEFT:.1f}" height="{BAR - 2}"{mine}/>'
                       f'<text x="{x(wall) + 4:.1f}" y="{y + BAR - 3}">{wall:.3g}</text>')
            y += BAR
        y += GAP - 8
    bottom = y - GAP + 12
    grid = []
    for power in range(low, math.floor(high) + 1):
        at = x(10 ** power)
        grid.append(f'<line x1="{at:.1f}" y1="24" x2="{at:.1f}" y2="{bottom}"/>'
                    f'<text x="{at:.1f}" y="{bottom + 12}" text-anchor="middle">{10 ** power:g} s</text>')
    with open(name, "w", encoding="utf-8") as file:
        print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {LEFT + WIDTH + 60} {bottom + 24}" '
              'font-family="sans-serif" font-size="10">\n'
              '<style>rect{fill:#9ab}rect.a{fill:#c40}line{stroke:#ddd}.t{font-weight:bold}.h{font-size:13px}</style>\n'
              f'<rect x="-8" y="0" width="{LEFT + WIDTH + 60}" height="{bottom + 24}" style="fill:#fff"/>\n'
              '<text x="0" y="16" class="h">Seconds until the certificate is there (logarithmic)</text>', file=file)
        print("\n".join(grid + out), file=file)
        print("</svg>", file=file)


def main():
    raw, clients, folder = sys.argv[1:]
    results = read(raw, clients)
    write_tsv(results, f"{folder}/results.tsv")
    write_text(results, f"{folder}/results.txt")
    write_svg(results, f"{folder}/results.svg")


main()
