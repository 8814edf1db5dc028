# apt.sh - packages from the machine's configured mirror without touching the
# machine: own list, state and cache.  Sourced by tests/setup and tests/bearssl.
# shellcheck shell=sh

# Prints "URIs:", "Components:", "Signed-By:" of the configured Debian (or
# derivative's) archive itself; nothing if there is none.  Reads both formats.
apt_archive()
{
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$list" ] || continue
		# deb [signed-by=/x arch=y] URI SUITE COMPONENT... becomes a stanza.
		sed -n 's/^[ \t]*deb[ \t][ \t]*/ /p' "$list" |
		awk '{
			key = ""; trusted = ""
			if (match($0, /^ *\[[^]]*\]/)) {
				n = split(substr($0, 1, RLENGTH - 1), option, /[][ \t]+/)
				$0 = substr($0, RLENGTH + 1)
				for (i = 1; i <= n; i++) {
					if (option[i] ~ /^signed-by=/)
						key = substr(option[i], 11)
					if (option[i] ~ /^trusted=/)
						trusted = substr(option[i], 9)
				}
			}
			sub(/#.*/, "")
			print "Types: deb\nURIs: " $1 "\nSuites: " $2
			$1 = $2 = ""
			print "Components: " $0
			if (key != "")
				print "Signed-By: " key
			if (trusted != "")
				print "Trusted: " trusted
			print ""
		}'
	done >"$1"
	for list in /etc/apt/sources.list.d/*.sources; do
		if [ -f "$list" ]; then
			echo
			sed '/^#/d' "$list"
		fi
	done >>"$1"
	awk -v RS= -F '\n' -v names=" $codename oldstable stable testing unstable sid bookworm trixie forky " '
	{
		split("", field)
		name = ""
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^[ \t]/) {
				field[name] = field[name] "\n" $i
			} else {
				name = tolower($i)
				sub(/:.*/, "", name)
				field[name] = substr($i, index($i, ":") + 1)
			}
		}
		if ((" " field["types"] " ") !~ /[ \t]deb[ \t]/ || tolower(field["enabled"]) ~ /no/)
			next
		components = ""
		n = split(field["components"], word, /[ \t\n]+/)
		for (i = 1; i <= n; i++)
			if (word[i] == "main" || word[i] == "universe")
				components = components " " word[i]
		n = split(field["suites"], word, /[ \t\n]+/)
		for (i = 1; i <= n && components != ""; i++) {
			if (word[i] == "" || !index(names, " " word[i] " ") || field["uris"] ~ /cdrom:/)
				continue
			print "URIs:" field["uris"]
			print "Components:" components
			if ("signed-by" in field)
				print "Signed-By:" field["signed-by"]
			if ("trusted" in field)
				print "Trusted:" field["trusted"]
			exit
		}
	}' "$1"
}

# apt_begin DIR deb|deb-src SUITE: fetches that suite's index into DIR (absolute).
apt_begin()
{
	apt_dir=$1
	mkdir -p "$apt_dir/parts" "$apt_dir/none.d" "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	: >"$apt_dir/none"
	apt_archive "$apt_dir/seen" >"$apt_dir/archive"
	[ -s "$apt_dir/archive" ] || return 1
	{ echo "Types: $2"; echo "Suites: $3"; cat "$apt_dir/archive"; } >"$apt_dir/parts/acme.sources"
	apt_get update >"$apt_dir/log" 2>&1
	# A suite that is not there is only a warning.
	ls "$apt_dir"/lists/*_InRelease >/dev/null 2>&1 || ls "$apt_dir"/lists/*_Release >/dev/null 2>&1
}

# The mirror may be a snapshot of some past day: an index's age is no error,
# as these packages are pinned by their sum, or serve tests only.
apt_get()
{
	apt-get -qq \
		-o Dir::Etc::sourcelist="$apt_dir/none" \
		-o Dir::Etc::sourceparts="$apt_dir/parts" \
		-o Dir::Etc::preferences="$apt_dir/none" \
		-o Dir::Etc::preferencesparts="$apt_dir/none.d" \
		-o Dir::State::lists="$apt_dir/lists" \
		-o Dir::Cache="$apt_dir/cache" \
		-o APT::Sandbox::User=root \
		-o Acquire::Check-Valid-Until=false \
		-o Acquire::Check-Date=false \
		-o Acquire::Languages=none \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		"$@"
}
