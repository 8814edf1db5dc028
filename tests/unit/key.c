/*
 * key: reading what openssl 3.0 writes and refusing the rest, known signatures
 * (RFC 7515 A.2, A.3; RFC 6979 A.2), generation, and where entropy comes from.
 * The keys guard nothing.  KEY_SLOW=1 in the environment makes large RSA keys.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/random.h>
#include <sys/stat.h>

#include <bearssl_ec.h>
#include <bearssl_hash.h>
#include <bearssl_rand.h>
#include <bearssl_rsa.h>

#include "../keys.h"
#include "../tap.h"
#include "../../util.h"

/* The kernel and the clock, played by the test while .on. */
static struct {
	int on;
	int script[40];			/* getrandom: bytes, or minus errno; 0: all that is wanted */
	size_t at;
	const char *device[2];		/* what stands for /dev/random, /dev/urandom; 0: not there */
	int opened[2];
	int64_t now;
	int waits, polled, warnings, signal_after, ready_after;
} world;

static ssize_t
play_getrandom(void *p, size_t n, unsigned flags)
{
	int step;

	if (!world.on)
		return getrandom(p, n, flags);
	step = world.script[world.at++];
	if (step < 0) {
		errno = -step;
		return -1;
	}
	if (step && (size_t)step < n)
		n = (size_t)step;
	memset(p, 0x5a, n);
	return (ssize_t)n;
}

static int
play_open(const char *path, int flags)
{
	int i = strcmp(path, "/dev/urandom") == 0;

	if (!world.on)
		return open(path, flags);
	world.opened[i]++;
	errno = ENOENT;
	return world.device[i] ? open(world.device[i], flags) : -1;
}

static enum wait
play_wait(int fd, short events, int64_t deadline)
{
	if (!world.on)
		return wait_fd(fd, events, deadline);
	world.now = deadline;
	world.polled += fd >= 0;
	world.waits++;
	if (world.signal_after && world.waits == world.signal_after)
		return WAIT_SIGNAL;
	return fd >= 0 && world.waits > world.ready_after ? WAIT_READY : WAIT_TIMEOUT;
}

static void
play_warn(const char *part, ...)
{
	(void)part;
	world.warnings++;
}

#define getrandom play_getrandom
#define open(path, flags) play_open(path, flags)
#define wait_fd play_wait
#define warn play_warn
#define now_ms() (world.on ? world.now : now_ms())
#include "../../key.c"
#undef getrandom
#undef open
#undef wait_fd
#undef warn
#undef now_ms

static const char rsa3072_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIG/QIBADANBgkqhkiG9w0BAQEFAASCBucwggbjAgEAAoIBgQDDCdqGIon+my48\n"
    "avgp78mPhCvPdCnr6c3LSGxBTG0fjgGzNpDXsEvrW+oz4MOPsGQJdrksINsy8WJs\n"
    "CExelQ4hvuY49CZas/IqyGmUBCsgeG7l10TnCfroXNe/q3g9s7lIj53yTqZll260\n"
    "YREPyM0DnIuv8K1hhBw/4eHCUhRfagZQBSOKNra5y2ePEZe4Ucl21pMn/qnN56o3\n"
    "Mv5iOGD18Fa7EtH39fxuhhqbiPfHWoupSL4VcYdxphCcXm6L12ZhemdsRTGuKqqp\n"
    "gPykFtBwERS0IRUbDG+L7J49chR0GBE6rF07uzF6rAKAdYd/VdIMps7qKyztMDIq\n"
    "/GA7WYVbivlGx5ML8/ww6IYUYv0Xeh6tyIB4p6rVfCEExFVAclhvOKHKs5PkBtVu\n"
    "UfYey6QsiEtRwnu/MNGpkyya6pFoDnUwBEJlz7j9SkRIMKC5OQehZCJCQ9eCTvyT\n"
    "YkJD08RtClLUA2rVysDpnJnl17m9MF0VqQYXPihYslZ2ZUjqwocCAwEAAQKCAYBG\n"
    "fJgqI+9lQaX7FdmsJkndATJoHh5McUn7rqfZDYrefY7lutGr8b3uSGCi8RccJe5x\n"
    "cSPI6/LsPUqJqpIXGJ1r2rcPXEVEQIZDqfxmDv+bE4tYq2zuZq/0LCGY1pp1Ci/r\n"
    "JmQ5vuzqCEltDSuCXdqh9ICTTFMMzBb9i1/wv4M3XHT9lG3ctJtjGDzL+tqvNXeu\n"
    "6Ct0p9esX44nttkynBeGqp5dq5aQm6joNLUHAwAxXurcejqgO1Bs5UxZhtNC3Mw0\n"
    "4Ch3qrfOkTPREgxWQwz/WsZtPN8cqwFQPGAtl9eZv9gQYT6BOlojNLoraIBZscox\n"
    "AdigCBli/XhFxHknJuoJhXhmPUblEcArh3OvE2JxD+A0Om+8pfZrVvadLCn2MQ9d\n"
    "PlzVi3hxk82iTSjzDILpCwV12Ecbkj33YvT3aInJQScvzi2gAUsSGc1v7/MbRxQA\n"
    "3fTzIL+0XzM5x17CkmaD+UI9fUdPQDAyopuMjkdyTAO94d17doQGn7FrN/6+y3EC\n"
    "gcEA5D33snsPVSYwPlxxcBuS8Jg0eK0XaPkSdupFDiWcJgTMm2nndFZC5/2M1B9F\n"
    "55NBFkS8ZqNn19JjmDHDqwHX7KMmjd9EGj1NJbc8YHcirKrgBQyH845ocq7pEhoD\n"
    "x8I+Rn3RWx2rEBlm8hEfj6gATlN8UdUkvYQns7t65tACu8EJMhZAF1is/HO6Oo5p\n"
    "BOn4Q76Pw1aMS2BlVFDaQyK5YQUwd0nZypQW0YmHgP91wqrZUI3ge6F6fB0L0bU4\n"
    "YTppAoHBANrCIlw1FFY3zcKYlGiX15n/rqdD0wzVZgSjOpYOH88lWk01b+IVAnyw\n"
    "BdjAs4M46Pp9a/+5K86HZTLQgMo7dFD14AUZq2LDixdujyRUSlh0B1nK61qtrmn2\n"
    "q3UKSSUgfnsHYYfTaP6u7zP30uSN1ZeP/qUo8Eiuxs0ug+dify0FmCq0nG8j3RcK\n"
    "Rh0Ys0EQ+Qk2AjN3DOFntyzLjkP5EftjXxkZ4jBCgXd5AU3KxAKctZvzj+f8MFc4\n"
    "QxmT2AsXbwKBwQDJlRlhn2JpV/MgANGHrDLZH/Sn6GhWpDT0pfAbkIga4/45/Q0Z\n"
    "KN6qurtY1c4Nu3auzkJ/fC7I5N5lmv4v2M72BxqUDu69JgsvFmjS4iXTzo9QpkKk\n"
    "j9AcCfN7s1JHaX1LEPCIwulErMrJXOo9HKo4g2+3bsKmR0Qxb5IarPjdDp6qiBBP\n"
    "DliqFyQRd5m1Z1eHrZSXd6ctI5QbJdW/mbmUwNqPYMBkNOr6Ybc17Wn6Zp7MkKIF\n"
    "Txc46wZ3TtDevpECgcAXurlJcUSMea8rLavjkJ0FinOilzvch4VyeVZQkqWmrbGW\n"
    "8HX7ezXy2pE3yuduE41KJrLBYY+77nnuwilGRp6+bX1ocDlkFDwRRZ/nW/FYmPV3\n"
    "KwjOpEpoGibNIll+2oB9zfYpaqhYABfYdkh9HFmQAEGqHr+50qOj/Ci4v7l148Z2\n"
    "03Kop6ZC6o1ieJxxMWsiMaaZeI+AH+UBye7btrfZohTdvy4G+B/dGtYmXxlWAzO7\n"
    "//abPoLr4yF8M8paoacCgcBOEI3MGBKhdTtMIfIQXPK4QA+BlIZbzNHWsZV7SQYb\n"
    "qgtupdP3vmShxpxGZXmXzGydMOPRrCSeM2DL3LUKQ4z9pkf6WuEeVAMcr9pzrwEV\n"
    "ZVWwP8uj72AGi7ZBv8Z9puzjFZ5mEARH9k5eOGsgmJdrFJK+4chQf9lmgWtqvFn+\n"
    "8nPhc4KliH2rGreJMDxYxzxq88dvS37LfRk7XjCt0doAXVjtpDpMuVn31tMw0RXT\n"
    "1tMmOFQehZP/v0rWZG43H/Y=\n"
    "-----END PRIVATE KEY-----\n";

static const char rsa4096_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIJQgIBADANBgkqhkiG9w0BAQEFAASCCSwwggkoAgEAAoICAQDJPfRItBWh90H8\n"
    "O0CEtOz1fP+3yiGauPktoMYl5HxxtAe69KpOqY5kDUFO2ynminguBZLg3MlkMuXO\n"
    "CaiZ/Xv3Lpd2VRGlE9f6T0TFActX1oDtdv41l3N/Ffnr9pa1IbmUEt3XV1hEszdo\n"
    "7/nOeuw/YdaO+o0Gm4Xq3bpHydtq5rO8dkjbcoOlzaOj0qbZVYzFLYGEJty3cw0O\n"
    "zg4ymJHeZtCxwsI4h6deqASq76zCDVGQ/msrUx+MdSn/+Z+QdwqYtmFr56y4ZiyN\n"
    "OONfYIPF9xcPA5Za0M/B/xqCGjlcNwELOv7IEe5JdY68yerDZ3wqEAlCccvWfI3y\n"
    "Er8uvc5IQ/2NUuqiAoz2mWRMut91FS11qD5dcav7VjsuE8vIDuTRkgh2CFU9Cqx1\n"
    "J/4w5SeozdihV51LIWS5kimunuexWFStemmZ9MLwo0/P21G/iQx1GmhE/whAGX7S\n"
    "UIqau7vBdfndemcSiJ52FN94nlKTgIf/oCYc42NN4oVEmGENKJhhHEM7ZMqTzG2J\n"
    "LF11MW/k9cr5U1z3c1UT/HSc67PMYRzoruG2p6dHuPo9EAhRSV2Uth4mSPo2kMOP\n"
    "/OaEO9/qzK1VAEXYdSeWj4dwryxELApkEbFo69AObQOSJCffuKUpYgHk8EMoN1f1\n"
    "QYA22CWRhZYRPH1FaRBaG1gc2+oYJwIDAQABAoICACrhWSaOvNdMtNI2m+pLFPzA\n"
    "HEsAtoVd6bZ3vhD/7SZbOpRzIsDtLyqRintvhq+ZjL8dr+zbDsybbc0n0LWzRhFm\n"
    "654qxT48CrbK4jfqSHZYfhNbWhJ4SYNoXt8RJY7F92GeXYfPlD7bQzDIhZ2iIqnk\n"
    "wo+nwpoIVJI1mcZHNEpEi0Lan26nKXcQaNB1B9liecLgDetnTnuGd99SN8M/MEHH\n"
    "/asK+VCLUzX/rjLwLAsTRHCVTaenKB9JLeBdw8rIGslsfzi7XlnSZ6bV2tkNWza5\n"
    "DkBEPurt+H75SSA0z0kfbUkD0ps1+uTLOFVw3uWxLMtXrGlsjwcOdj6BERy4E/aA\n"
    "Tmg38C6AufirO7NsYp8UgNsYerqOsYW2OIatRpY5N96s8YmWECXUhT16nNB1dwgH\n"
    "ugvR/P5ry/uT9tw4b2rYVQS5p7A32LzofKmC+cEpiH/EsP+EETbz4oMYeys/f0ax\n"
    "WknVMskdvB4ZIhuoWbTnd8sViPS4rZqz2ALoeMRWpXmCGsRDakkba+95yyiOCUh3\n"
    "i6coH65beV0yya/Y2r6k2kYw4sc+FuK8tIVLjhE36U4MwBWrdT4ITTjMIGVJXSK6\n"
    "3BopuoyNJEQK2/kZV/qTJ7hd1EuDqE2AaBy5Brj3W10JJIEi2jdHX5Rz/HdlCgWm\n"
    "OmBzfSXk+SCjxDGUHXRNAoIBAQDlYcTJLcLlmpftwLh7QIafvsBx6TKJgTS+ZBNK\n"
    "Jmli4WYSPHMaTE9zc212wDE8qzwshcYYqewchLSZYO1jEAndYr16Yjv5RXTc7N75\n"
    "def9fOIN1bMeKfFeGD+pxCAdzJJvzC1XSppkRFSFw18xBP/V/Xh0HGmpT48W+ZRa\n"
    "a8Gf2mCBWs7KfCLnngdIAGITzThU6HowOcoutKQTuSIvwusz+ptj/z9tbj79Iy2D\n"
    "q6AE+beZ+Nb4/Aq1qH5DYc0CfDT00cwJrb9H9AH127ru1ksXFI73dDDxUubAsivJ\n"
    "fqIrYQG5fcqZK6M0wlJjK7WDUafwA3hFuWYUfOQarpJPncbjAoIBAQDgmDxRYJRD\n"
    "ruQR9BBRu3KmYW78Ds7VuTNKGSOb7geNPbWHLk7jL+UnoiWaohmvS++N03JgPHab\n"
    "dSBs3WS7tPue145xL5TEfDbCXtWlsl88HYPd1sCt5pDavX7OlobjJaeCmXWqtlpq\n"
    "fJ307ErzwP3e3eSKgxwMRKYMLlrHEhbZV9flolMGqHFIvRXdiElUZY4B9fGBvApL\n"
    "6zq3J67JpH+epgJBgh5WRyJ/fFpeqZT0FeEWRuewXelRf+T/NGnBt+PbasXyy6Sz\n"
    "DrFVbcjZABjndFCmxVQ1/6GpMLO0TnpUrYfGHNUe1UO8leoUJU+mp7NtJlCqCKze\n"
    "aACdQkwOnKjtAoIBAEbdgKVCjP7QVvWt35C8a5r4nI3UpLdUgo37bvYujcptplIl\n"
    "+M18G+OoGn5gfBWpNUrv/TZrcLWSzhTAnDZJozKRKcagiLTHH4aNa4mYQpbOuSvb\n"
    "BJ5iCN6wESMKo31xUSBW7P8V3kLx1UcKB+OmDr/2sfr1ODOFj8hiTNHujoArQDtW\n"
    "aaKm3UW/TbKR47sIYMnilLVHdU4eor4xKP2mc3G4j79CAT92muEruAkAwcwntfBM\n"
    "r2V2wHxE1NVOZr7IzreABVBMLFc3bE+flc3pyIMV5+FNNT2pBf8sTFjQ1ZsfOiAr\n"
    "W6cckyxeiIN44nfyhzaga8zmrUHRH8uaeTs9nE8CggEAM0jv9REdqfrkn2jg1Rj9\n"
    "jBqRkkL7XfhFSvVEmVWYKdteeTjM0LneFNfEyHOdc9beI7+VzX3hA4ySU+mWF/qy\n"
    "vkmwgA4CZX+LrYSkOorpjjubIevo4YzVpO1CaIAc2v99KahLIykyqkA8fXH7h3+Z\n"
    "OOvoROy9WdvPItbu6agqyYRyi0Auv0V1YMu0k3qMbBYogDAd7qb2nvFe3fXUxrym\n"
    "W57CwxyoOsFRklTd+eG1XqskU8brHu3C2lZe/xuDzrVj9XWDL/bqa+y996jzBQIt\n"
    "raR0yjAjE5WE37J8Rn7pFi7t4wIwdDL0nbqJ0gHXF1IR+amXH8yNVNfg1AgQgAGr\n"
    "3QKCAQEA0msC1c5CMLiZv7LIrAvmIlCKSqOi2250301p5X+gV7v29hL4TFHxYPPl\n"
    "7XB0UbAEh8ZNylkRLT9vqNtzrrZvbktNxbAwWBmpve7KS4dT6xroS1/MXJefHJNA\n"
    "Oyz4oUOBo4OiTdyZ8O29+PmiVj8DDVymvqN/gixZJpF/9CLJzbV+m4kdlO/Z//CO\n"
    "8DnzTkjwY4vTkymVlF8ls+ca+KS1O5ruXrYGznXNY2Yt2+XkqW6vrZFKUrbjSnhA\n"
    "+vpISkJAS2zhxMSQzC+89xdCQUGZ5nep4w4j+c2mirxaTyl2c1fSTma4XApFy89/\n"
    "k3POgehzY/hRDGv+x4PVjrK1juiYbg==\n"
    "-----END PRIVATE KEY-----\n";

static const char rsa_e3[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEogIBAAKCAQEAsMDxK/N2rdhY6KRWRYBmsPkhh5IufCs7ABev4z1nUeFtdnLt\n"
    "k8spbmsChwKe1znbtjdVJT77Bi3h/zofjOz2oD3oEjyk3pXscTV8R/HliVHw1caS\n"
    "vDK6rj7rRvHdYI1a/Wm6riaO/rcGRyAKekymSM+E0T2zmGl28qkrLzjif1o+pxv0\n"
    "6p3AVSelZHkLIX0ap6AbIGn1BNLQBXKJZPzO/Zu4xCDgO9t44hN88bQs2wv/n7EB\n"
    "uUycitT645xDRgKxbK2yggDmY07SD11I73NaXYecMarb2DQUPC2bFbbTBJWo94+g\n"
    "dGTpPCsoFERNR+x79THssrP7q95fj/O2KFn4YQIBAwKCAQB11fYdTPnJOuXwbY7Z\n"
    "AER1+2uvtsmoHNIAD8qXfkThQPOkTJ5ih3D0R1cErGnk0T0kJONuKfyuyUFU0Wpd\n"
    "808Vfpq20xiUY/L2I6gv9pkGNqCOhGHSzHx0KfIvS+jrCOdTm9HJbwn/JK7aFVxR\n"
    "iG7bNQM2KSJlm6ShxhzKJexU5biXDaS+Cgp8OTVS843e3YV9RxSKxg90eM56OeNi\n"
    "IIX7l5HNkOcICijhInaSNcu4oL2+CKAFFGiap8eFCYV0oPNZGihG7QE7ZapvAcHP\n"
    "quBvo0hiuenstcnivXBWF5WAuPI1dDxidnXS5I3BHrbonWicF31dw7Yj2sg/SW0P\n"
    "GaVjAoGBAN1JHskK3J9IYTmDboWj+OCngtTCPJiLP64t0NfFDJ0qvKZI8LsMKH/P\n"
    "RWrBxazBNB0UzxwJBdzcczX/cgp5tlVYqh4x72y5UBJpV6x1ZSs2l4tefIkwZXHj\n"
    "Ff2ep8Nrmq4oHRabvogcv1XFwO8ruPLI1GN+gsjkYCBe65iER+STAoGBAMx7aLTC\n"
    "shFScJvknTCvN/HEMqeOBEVK3ewgStyMv2jZe7fG1sqjo7vBGmBUnc6E5sXt1PWo\n"
    "qCLGZhmcm/CdWu8OXFflrffQ5j//gvnCjd5/eyQ/F3PEvfOE+3T1669X5Y9/RC9E\n"
    "9LBjFP2s1Uu/R2xCOk0ni6GRthLSGfoNa5u7AoGBAJOGFIYHPb+FliZXnwPCpesa\n"
    "VziBfbsHf8lz4I/YsxNx0xmF9dIIGv/fg5yBLnMreBNjNL1bWT3oTM6qTAb7zuOQ\n"
    "cWl2n53Q4AxGOnL47hzPD7I+/bDK7kvsuVO/GoJHvHQavg8SfwVof46D1fTH0KHb\n"
    "OEJUVzCYQBWUnRBYL+23AoGBAIhSRc3XIWDhoGftviB0z/aCzG+0Atjck/LAMehd\n"
    "1PCQ/SUvOdxtF9KAvEA4aTRYmdlJOKPFxWyERBETEqBo50oJkuVDyU/gmX//rKaB\n"
    "s+mqUhgqD6KDKU0DUk35R8o6mQpU2B+DTcrsuKkd44fU2kgsJt4aXRZhJAyMEVFe\n"
    "R70nAoGAXcwBxpVXroHal9q5+moj9nPWBJBRj2X/jwK4aB2u+h7UjINwJd/wZSlC\n"
    "2kyBz8yjZQ28tudfqLhVU01fsa54irdZhsLTR5cu/PMwnyUuzrIDl3z23q9c3e6N\n"
    "YuDTBNg7/1X6oPxOY7LySEmdZxSfOJyIjGjPWG5jn1RMMiAZ+QA=\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char ec256_parameters[] =
    "-----BEGIN EC PARAMETERS-----\n"
    "BggqhkjOPQMBBw==\n"
    "-----END EC PARAMETERS-----\n"
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIKF+vJmQHTR0GN2C/rZdU6NbpCE8570JQdxjw/eFDKTXoAoGCCqGSM49\n"
    "AwEHoUQDQgAEzKy3SnGe31CU61YWRuEWjMFPMozm2V6ocBeW7tBi4RKiLgfGbiC+\n"
    "G5DFvklSNIG2RxYq41tBwCfV+wb0uxDMrg==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char ec384_parameters[] =
    "-----BEGIN EC PARAMETERS-----\n"
    "BgUrgQQAIg==\n"
    "-----END EC PARAMETERS-----\n"
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDANshh5kuxJPrBIf7F+1p+Cu43e1/u44YEyHDfNjVrE8JF4lB20p16M\n"
    "ihuaXtVRd3agBwYFK4EEACKhZANiAASzT0wyF9y0V9v3+/R7unW7AiA7YwxnSJoF\n"
    "hYUQdMgmRu1BP4g2bWHlm17BjvapUPjaVhjVhj98OFmQfagBo7ncONyJk2q3cm6N\n"
    "GiOGNq3WeGxloVbNnLJsqZErJfWyE9U=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char encrypted_pkcs8[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi/qGjYQthrDgICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOB2Pizo6yI9dDaCLdxdIkMEgZBv\n"
    "rVqWQM/Bbf6OYIBDtqBBS4C0UG2DHRisQpVzJ8lxCLT+s39lBqfaR0lPZkTwaQJF\n"
    "ztLn0EOuVsC1YUyEsWjCQGm8V0gUaon9FkkN9wenSWuzJcdtVe6GH/Fqil3KuBYa\n"
    "HCJoTh1c2HK6lTFbLun3cvZNK80urMFqNugS8ZmI9AmJ+q+gLdLQKCx055XyO3A=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char encrypted_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,ECD8F625145E8D7FDAEC0F0E2712A4D3\n"
    "\n"
    "GaNMl/2LV+QrOxN/HLSx8ZR2mJFeYwc5sHv6c5JuhNe7w7InutJOnEZVhO2Y6VGa\n"
    "i2cA6tB1qhvXYWVADMYW3vFTIXRWHAsLI3TRh0hv7Y/+qi2KAT59hJ2y0zpX5mXn\n"
    "EuNqj+n0NvEtdm3gpBM9Nsbkyk8yMQcvAR0lJTMav/w=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char secp256k1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHQCAQEEIJcXvJtK19dZ1xQekBmqrZxuqEvi4gQzfo6TY7mjpvjIoAcGBSuBBAAK\n"
    "oUQDQgAEgaSo0857t4wOlR/JV6P+AtAARUql+cAnvRbyaK/9rRShLQ1pXmRM1Gvq\n"
    "RsajWOXU/SeVhBbUDMhC9sA5tUVjtg==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char ed25519[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINv9sgPdgIqwTnYqjbhAjJ9Y8F5AW7rin0Wis3BmgCiE\n"
    "-----END PRIVATE KEY-----\n";

static const char explicit_curve[] =
    "-----BEGIN EC PARAMETERS-----\n"
    "MIH3AgEBMCwGByqGSM49AQECIQD/////AAAAAQAAAAAAAAAAAAAAAP//////////\n"
    "/////zBbBCD/////AAAAAQAAAAAAAAAAAAAAAP///////////////AQgWsY12Ko6\n"
    "k+ez671VdpiGvGUdBrDMU7D2O848PifSYEsDFQDEnTYIhucEk2pmeOETnSa3gZ9+\n"
    "kARBBGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tK\n"
    "fA+eFivOM1drMV7Oy7ZAaDe/UfUCIQD/////AAAAAP//////////vOb6racXnoTz\n"
    "ucrC/GMlUQIBAQ==\n"
    "-----END EC PARAMETERS-----\n"
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIIBaAIBAQQgB7+rnMk4Y5bWF2cq3nRFC6ppu9FWckJbMTC0DlPXl/OggfowgfcC\n"
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"
    "YyVRAgEBoUQDQgAESh63a/UXNDn/dEjamObMnOeT1fZUnv1Kbqj0GuDeZNz+s3OG\n"
    "iyK0Ieaok7ZtS3QQivhhNGPzxs69y7UkgXOgRw==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char compressed[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MFcCAQEEIKF+vJmQHTR0GN2C/rZdU6NbpCE8570JQdxjw/eFDKTXoAoGCCqGSM49\n"
    "AwEHoSQDIgACzKy3SnGe31CU61YWRuEWjMFPMozm2V6ocBeW7tBi4RI=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char rsa_pss[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEuwIBADALBgkqhkiG9w0BAQoEggSnMIIEowIBAAKCAQEAvMVCfMRHgpa3CTYF\n"
    "1jWtgmduPxjiuEt3E84uMa6o3fHN41HJXp8b2CZRE8EZf5dNKev84bcJuGnYipCI\n"
    "N9Hiw/hdh/2Cz7EkVPjuvggYR/H3KCy2AO3nH8YHR9QW+PITKo/XRvQ4hEp6zhNn\n"
    "GZxZo6zV6T2h/EHPIxaHdHEkT6cxAJ2wAWzkgrmm2Ou0PWsMCREj7SaSuT/gagjN\n"
    "/6tdLYZymEqpCH7kviwJtOenv0Z7yUnFKp2ycRbPkg0e6jyu7ID9Xn4z5AFOA3U/\n"
    "EEIKAdquIByVRylvRkLWakjK9LJM3F7OWandKXzLKKRbUICe10YjOFP3uSIBeEg2\n"
    "xTxq0wIDAQABAoIBAD5A241j+aVSaOiLvV8IcsE3tP7wCQz4LjwE2e0eiagwL1MR\n"
    "TNR8qmUdNc3K98rBLfxuTAZwI6+CkJwZ0CKAgEVaqhXIABTYeX/gXHOlHcTUQkso\n"
    "e5lQ29D5sLr6cd0FkFaP+1H2BpFyMo+1jGHA0zsMK7twzPPxDAupSWCYU35EttKn\n"
    "Hn93pLOQAzimAvzBCZFQ9P1WydU81Pz1+mb1rj35zrpS6X2oQjuqh7uxEwJrBBOE\n"
    "rTxueKdcZzA25UaeRh36WTG3Nch3V/bpCjDpL2ilH+4Vs0LzdW7lyKQK3SB1GvbQ\n"
    "NlM9ILoHRdsHl/MHop0eXVm5+OwFv6zjeoTV8FECgYEA5w5icS/DQbemGKvCehUc\n"
    "pP1MQrFtW2ZQOTyKBICkrVnoxtoNHVB954B9D41p40lF4MLkEaU2dejcixcncFup\n"
    "1AtbAxBjjnf8K6KSJbiPRtkB+ubZhIwiX+ktbNkAr3NctuoqBSYR3O+3AB/qH/dS\n"
    "3ysNEDzqZIcbpXWGGHkh9+kCgYEA0SY+BvDD5MccnoCgx8CFws2H2iiSvg6w2YIm\n"
    "X7AiI/fcM+KDYmvba0eBbfIV8KvlQxhkb9C9OmbucWNQOCanRD9F2ZDF81Qao6MN\n"
    "Or7KUVVyiFTaS2/pYmoiSwWjZIk1U9qAuIfaDCbGESCpC55bV+Fe12bsUjonexh6\n"
    "y+PLE1sCgYAVaS7UIEHuwA7jMF9oIraxz0sWzww8MQH0G9kKS8V2zuMUMjaO5duU\n"
    "7UIpg8gxKKQSDN1HiVC/omF1fiLIdaYKITdA1G71T8cNYBY86ppUTV2ym1vCvZ2d\n"
    "16S+9mjq2TzZMl/MdFepaolBuLNgXPHP/lRKkeqCgEaekYJomCj+qQKBgHSH7Tlq\n"
    "vorikcSSgIKrdxvB7naT8qbogoq+JGleNrd5q3xRMckNtVSBo9DBeI3/CJ8ooRVX\n"
    "5Yb7wND2d8TBbKLu6hk9u71G2AzilUVs9kb45/aj6HjtosiNwAuy2YXzmP3emae3\n"
    "MbthgywZ2XY6xkQhsvkrRHLQKh1A13Jwuj5PAoGBAOR+czIgPu/n4uA8nR/BB+ck\n"
    "cs9zA6hnS5J5CNTcn8N1OIFekZ2jJxRj+YrIM3kUrGZ4ZQUa3xoKAYJNd9Ylof61\n"
    "e8AOq5i1FcTg5x5LpDqIbVwPM8kPV5HFRr9YRJMvDU47IRdUOvWfXTqIruZ8JhHO\n"
    "Lv72AfKUO/hXEoBZMItE\n"
    "-----END PRIVATE KEY-----\n";

static const char rsa_multi[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIE2QIBAQKCAQEAqfpdDiBLx/OxzV26DJHaygbnYWhOBL9lUo3F5TDwwsupzk7t\n"
    "36G2elnqre9pQ2uhCZDjPFsvHI6gRuZZtWPngNVND4/Bd3MLTUu18HvlNMuR8w5g\n"
    "fQeQKDFUJJj96+DKPEZ60JM3GWizfCf93O5MNl/fP1ZKFH5kXuUf79F1iuEPlJzi\n"
    "jlVxU/xl+VXuVMvAKxb0QaJUlc46ZaHcFb3ZjhoH0p/whiHLlAKUSXC/qMa6Z2oO\n"
    "+l31x24gCaINYWEeadtIo3PnLKC6yCKwlY+W344Fqq4xhKIr7655abxhc6+tLPFk\n"
    "WeBi0wHu8o7dXCYLN0/nhjcltUgbvOdEbGdr+QIDAQABAoIBADQ1pJOMM/qszbZI\n"
    "zbbCrjNTv4pZ4Wzv5Q1gYqKtT6ZlrDikYchJAaW/LKhUWz7MNmCb0lBdqbDZ1j0w\n"
    "z+k5UIhv/AWFoGUyPwx07uN5CsQWqzO+/MAMfV7ORMozmgNQK7LgQNcHyaFgDLVV\n"
    "s2j7H7hnzyaK6j5BnYzvga738p+egmsNP5lggLL+I5SG5xF4ijOWYzkGIhxgW7lv\n"
    "qHN+s+fT72z7P0k/nidxElwqvylgiFWk7H/ikxaQKMSIakQOssjkdXBcJVAeO3EA\n"
    "GveWL+nHtm4B4q9vmtKmO+MUWKNLeJ+ZPkmwIYYi17TEaVW+ZekUBAPC4ag1sttV\n"
    "9ZPXjgECVgeMbq7/Q6IW+mGfyfQ+8R5S0cYa3xibHGV424+VA5XOyzVxw94sKuS6\n"
    "8qCbyMpLxsYxDCKLNL1jZgsUbM4PLBGZ9Uq3RZSaqoB0f+cSsvxDZnAadiatAlYG\n"
    "pf2fF2Na8hvuzYmwdJ+SOh4iRYTjztsNT4WlQZbva817p3tq+iiOxTbaH1dAuCXP\n"
    "Pm0cmtzrtUGLlzDwKGKpKfWTzI/Y8HpcrU4sTwa/Y4OTxNKSTQJWBjyOTeL0e/zE\n"
    "DNg5wKQoDkearTQSUoAErAl4TV5uQd1CovtFOk//eE7EmtFayVhl9+UaA4hDoJ14\n"
    "93p+kpiSblBnCr30rNxENjEKY11dp3IANmqGZ1kCVgCTo5WKXNcFy4CCmeARrcns\n"
    "erK0Xxu31O6pqEk2kFZCfresRpt4Cc6gsupm75Wwo67/lk117ZYQyhfGzLr4dd6A\n"
    "wknI4+2IpsSlT/OuA0LU6hQGbdG9AlYBnv3LsCRs8u8onzodmYe0DAZQ8eT/njME\n"
    "7ZoJIGcHqLBtNhRTlM0yorNnJtGhTrSFBmzJ7i+PNZ/pK50bzofw8lsyk10BvR5W\n"
    "sNapfOdw9zaDd6JQfzCCAQwwggEIAlYDYxBYgPBvjRqIZxrBv6602jU6K1IWWUJs\n"
    "7o6tI8XVw1rCcuJNuIbGp7U5FbM6EoUIGL1erpU7vNlCzNWjXlDLANOfTFciU+7H\n"
    "F6L/v3waquT5O3P8cQJWASRHwk3UvwXFx+1Zq6496mEUSEOKLFZyed4A4oSIkAKG\n"
    "eb3YY3KsnBK0mEWkYRMVHSGZ1GztiXGjm00JR0Tn30asD6rgRIYem6ZwH94gq6yn\n"
    "+wv7kUECVgGehtQB3UX902cTp3J2llpkrHwuQ2zj7Asl8OmX2h002zM2Od8VFXbG\n"
    "AKlQ6U3O/4RD+Dy8zHZ6nkDcqyeXBhchtj22g/UI+Ho9znsXaDWxR5kQHPuK\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char rsa1024[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXAIBAAKBgQDmHE8nNbur/vhK/3SWeJRv1ETtBRBVi5d/3scXoTkS5c8J+9ya\n"
    "hXSGAZqe1lxYvC1vCj9HhyLub/KktAEElCNVMNZ8cz4iwlmDcoTductkJe345Xhz\n"
    "tM9QUJlxxrv5+TSNN9Us5E2lJO7VxNrBkmcMs8DdvNHKzEPkRg0Kq+4aIwIDAQAB\n"
    "AoGAW4vdrbLB5C5+549z+b0lCMyBU26VTgNIFZYyzOLWSv9kfAtYe50me3293v1X\n"
    "JfJPfQKtpC5OJmAhP4dhdEnfN+8C3K7l2W16WXitbq8u/b5Jef9FhHLLFfnKk7IW\n"
    "1MUK7mQfWntcKLKcaDFpEwdDCfVLvUgr0rzriNBKxMRzxJECQQD7x1bKKvEbX2bx\n"
    "fi7ri0bvyOHu+x+0TZmOxR6MCMEH5xs7KXnl3UaM3hE/DfnetjHN+EGT/9+1DRjl\n"
    "QwjkwEWrAkEA6ff36wLpWtOD1aTEse/UB+WtsMC+y7J0o9aHjkpU9M0GEgTRCqWf\n"
    "/PDM3sh8LI6WBtiFL1GhK0fSjqLcEo+VaQJAZPwpFWFv31i+g3HnA9aTFy3tYNsc\n"
    "dkcBpj/t5qDEO5U4WNxj5gyAdZPEOxQx+l/9Te2a7++bHJUqPRpMAOQVjQJBAKo5\n"
    "0dTY33NHpQmRwdI8TaYZQ0/wTGDjy91QPnwWNM2PRbVib70xV7+ua0BD2aSJcTo1\n"
    "2mDdIUfeD6HbeAbBFNECQHVZX7ftqMEvbGzINwOG+hEz8bDKuVMOOvTVu6BDyz7h\n"
    "scqRaGk9rIVnzEzQfs5R2jRlcd03HUFBKvkhZEdO3yA=\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char rsa2056[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEpwIBAAKCAQIAu+4f7Q4JS4qHiF7aFh3vqXtZr0BIr7kTIwoB41W844ZZkTbi\n"
    "S+hxvVBBsamw+CX6ukW3RcsVzSYkJKMT6C8Q8dvHPLirgE2bSRXzDf5j3sF0XEuF\n"
    "BGLRAoOHCIjXqB+5lyvWvdIob9CkBKiYAWwQBQ7wIUr1bhgvq3MFaHA4YHpGFGoV\n"
    "ppW39pG5WgZIjRvjmFoPWOdqBzX+px26otc4G2A57fJ/tccZstnprYEErxlz7vCV\n"
    "rzYGzKxOxQstUz6BoXK8DdeSU0flPh6nY8rkuvWtlv2ijKqfjUE8jsjuqgWbfdWO\n"
    "OtY7YyPS0NIUKaGjaNgOS8LGC48R839HDJqrY0sCAwEAAQKCAQEbv8yNB06ODfV3\n"
    "SHIxY9g4kVMr0nUpJU3TFa4zsDxE6FifXZhKlxb8WjZpEmJkMc9048htENC2SxR5\n"
    "KG9PEGwTGl2v9KC2QD9WqlwKS+7ZPH1/B1Or0x+DnII622HknFKeJMX/n2GDKS6e\n"
    "1Xokc51l8c+5SsU0rXOUgFZjFnbsn/1Yr2equZcRjUcrBGh3nL0kYi+eIyXqmIsu\n"
    "IA4cbuzh/BZRydcBAdlB535W2baCWwrNXP2MH1Vta5RAlQLPG5nGFOeHYiPvLWYU\n"
    "HRmbr9zD/KXey94ekBwyYpofnn+PsY+klSCzKhGzWjKYXBT7j2+gomfTBwrttgFf\n"
    "xxeMOce3yQKBgQ9DmPpPatvJuyIrNam3PPzloswR4HbdillJ5jInZ9XjhYAMPEik\n"
    "tj/BKnI1CrNKrItV9tXthhqR/2Vey2/bZRLUtftAaLNkLB+TiQmbHrWQii3OKvMX\n"
    "LGjK6XNuWiaQAxamP6fhYAncAcfYT/xqweG1FAx9BfC/5BhlA3ashsrVJwKBgQxP\n"
    "25mT7TM7q4ey/iLDbS4K6At59U2k1JOziBtzSUEgQf8QPbGpKBJFr1q7XTrFmsbH\n"
    "K6vHzSPy532X2BuJgpX8u/hFGG+Gmr8yqVvWp5G2brr6U4VbxfA36XT+3zwgOTEB\n"
    "C7h4O/9Hl44XQb8UY+sTPS7SVsXhDt1coY5PYE4/PQKBgQwsNEsqGmW8sufE3b7C\n"
    "ynhECVgEyaUBd9tM+67zjfMcxtIe79RexpiBS4BYnHfvDTrxCy//g/qcg7grqMFD\n"
    "jY8+4wHDk7u8HxPvbFGkyxCwfAGbcNT7ngbUCuhrEKnAHzZozkrriNNUCHd/IgqC\n"
    "eKuu5JYw/hPIc/agV+rEG5qV8QKBgQr/4arg3R9TpRjUUnZOcKGc/tkZ+Y2HwJ/A\n"
    "2s3jfsPfhPbS1Lt/7Bv/A/4kvNNALdp/oMWU+PKwFh8/5MQdY3yK0oipen5RHLnL\n"
    "EkHJkeX9vgnwkWPorPvDiCCNgHWgOFhOneEOElQs6vr4TjXfirE/e/7zzrB1NKmS\n"
    "E4gn5Fuj5QKBgQJdR06S3oQLw8NxdUpJoA9+FZhVVXagVKXPWstAa1zINP98rMpv\n"
    "Pyo9l6mAVDezvaMPam/k6CXZ0NPZc1YkFQ3garXJj2IcdTqTbFdoJxcwNUPRjVDA\n"
    "hEmZkg59tjdu6nUDOeuPskbpsOTkG/VndeoyRRE0UEVAxIs9YyQQGPOKIg==\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char public_key[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzKy3SnGe31CU61YWRuEWjMFPMozm\n"
    "2V6ocBeW7tBi4RKiLgfGbiC+G5DFvklSNIG2RxYq41tBwCfV+wb0uxDMrg==\n"
    "-----END PUBLIC KEY-----\n";

static struct key key, other;
static char pem_text[LIMIT_PEM_KEY * 3], scratch[8192];

/* A copy that ends where its memory ends, so that an over-read is seen. */
static int
read_flush(const char *p, size_t n, const char **why)
{
	char *mem = malloc(n + 1);
	struct slice s = { mem + 1, n };
	int r;

	memcpy(mem + 1, p, n);
	r = key_read(&key, s, why);
	free(mem);
	return r;
}

static int
all_zero(const void *p, size_t n)
{
	const unsigned char *u = p;

	while (n && u[n - 1] == 0)
		n--;
	return n == 0;
}

static const char *
rewritten(const struct key *k)
{
	struct buf b = BUF(scratch);

	key_write(k, &b);
	return buf_text(&b);
}

/* PKCS#8 of raw numbers, or with a label the inner structure. */
static const char *
pem_of(const struct sk *sk)
{
	char der[3000];
	struct buf d = BUF(der), b = BUF(pem_text);

	sk_write(&d, sk);
	pem_encode(&b, "PRIVATE KEY", der, d.len);
	return buf_text(&b);
}

/* The numbers of a PEM text; they stand in static memory. */
static char numbers[4096];

static struct sk
sk_of(const char *pem)
{
	struct slice text = slice(pem), label;
	struct buf b = BUF(numbers);
	struct sk sk;

	if (pem_next(&text, &label, &b) != 1 || sk_read(label, buf_view(&b), &sk) != 0) {
		printf("Bail out! %s\n", pem);
		exit(1);
	}
	return sk;
}

static const struct {
	const char *name, *pem, *pkcs8;
	enum key_type type;
} accepted[] = {
	{ "PKCS#1 RSA 2048", rsa2048_pkcs1, rsa2048_pkcs8, KEY_RSA2048 },
	{ "PKCS#8 RSA 2048", rsa2048_pkcs8, rsa2048_pkcs8, KEY_RSA2048 },
	{ "PKCS#8 RSA 3072", rsa3072_pkcs8, rsa3072_pkcs8, KEY_RSA3072 },
	{ "PKCS#8 RSA 4096", rsa4096_pkcs8, rsa4096_pkcs8, KEY_RSA4096 },
	{ "RSA with exponent 3", rsa_e3, 0, KEY_RSA2048 },
	{ "SEC 1 P-256", ec256_sec1, ec256_pkcs8, KEY_EC256 },
	{ "SEC 1 P-256 behind its parameters", ec256_parameters, ec256_pkcs8, KEY_EC256 },
	{ "PKCS#8 P-256", ec256_pkcs8, ec256_pkcs8, KEY_EC256 },
	{ "SEC 1 P-256 without public key", ec256_no_public, ec256_pkcs8, KEY_EC256 },
	{ "SEC 1 P-384", ec384_sec1, ec384_pkcs8, KEY_EC384 },
	{ "SEC 1 P-384 behind its parameters", ec384_parameters, ec384_pkcs8, KEY_EC384 },
	{ "PKCS#8 P-384", ec384_pkcs8, ec384_pkcs8, KEY_EC384 },
};

static void
test_accepted(void)
{
	size_t i, k;
	const char *why;
	char text[100];
	int good;

	for (i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
		const char *pem = accepted[i].pem;
		size_t n = strlen(pem);

		snprintf(text, sizeof(text), "%s is read", accepted[i].name);
		ok(read_flush(pem, n, &why) == 0 && !why && key.type == accepted[i].type, text);
		if (accepted[i].pkcs8)
			is_str(rewritten(&key), accepted[i].pkcs8, "and written as openssl writes PKCS#8");
		snprintf(text, sizeof(text), "%s: no prefix is read, nothing of it is left", accepted[i].name);
		for (good = 1, k = 0; good && k < n - 1; k++) {
			memset(&key, 0xaa, sizeof(key));
			good = read_flush(pem, k, &why) == -1 && why && all_zero(&key, sizeof(key));
		}
		ok(good, text);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *name, *first, *second, *why;
	} rows[] = {
		{ "an encrypted PKCS#8 key", encrypted_pkcs8, "", "encrypted" },
		{ "an encrypted SEC 1 key", encrypted_sec1, "", "encrypted" },
		{ "RSA of 1024 bits", rsa1024, "", "RSA below 2048 bits" },
		{ "RSA of 2056 bits", rsa2056, "", "RSA of a size other than 2048, 3072 or 4096 bits" },
		{ "RSA with three primes", rsa_multi, "", "neither RSA with two primes nor P-256 nor P-384" },
		{ "RSA-PSS", rsa_pss, "", "neither RSA with two primes nor P-256 nor P-384" },
		{ "P-521", p521_pkcs8, "", "neither RSA with two primes nor P-256 nor P-384" },
		{ "secp256k1", secp256k1, "", "neither RSA with two primes nor P-256 nor P-384" },
		{ "Ed25519", ed25519, "", "neither RSA with two primes nor P-256 nor P-384" },
		{ "P-256 by its parameters", explicit_curve, "", "neither RSA with two primes nor P-256 nor P-384" },
		{ "a compressed point", compressed, "", "malformed" },
		{ "two keys", ec256_pkcs8, ec384_sec1, "more in it than one private key" },
		{ "a key and its public key", ec256_pkcs8, public_key, "more in it than one private key" },
		{ "a key and half a key", ec256_pkcs8, "-----BEGIN PRIVATE KEY-----\nMIG\n",
		    "more in it than one private key" },
		{ "a public key", public_key, "", "not a private key (PKCS#8, PKCS#1 or SEC 1)" },
		{ "nothing", "", "", "no PEM block in it" },
		{ "some text", "hello\n", "", "no PEM block in it" },
		{ "an empty block", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "", "malformed" },
		{ "parameters alone", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		    "-----END EC PARAMETERS-----\n", "", "no PEM block in it" },
		{ "parameters before another key", "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		    "-----END EC PARAMETERS-----\n", ec256_pkcs8, "EC parameters without a key" },
		{ "a wrong label", "-----BEGIN RSA PRIVATE KEY-----\nBggqhkjOPQMBBw==\n"
		    "-----END RSA PRIVATE KEY-----\n", "", "malformed" },
		{ "OpenSSH's format", "-----BEGIN OPENSSH PRIVATE KEY-----\nBggqhkjOPQMBBw==\n"
		    "-----END OPENSSH PRIVATE KEY-----\n", "", "not a private key (PKCS#8, PKCS#1 or SEC 1)" },
		{ "no base64", "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n", "", "malformed PEM" },
	};
	size_t i;
	const char *why;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(pem_text);

		buf_all(&b, rows[i].first, rows[i].second, (char *)0);
		memset(&key, 0xaa, sizeof(key));
		snprintf(scratch, sizeof(scratch), "refused and wiped: %s", rows[i].name);
		ok(read_flush(pem_text, b.len, &why) == -1 && all_zero(&key, sizeof(key)), scratch);
		is_str(why ? why : "", rows[i].why, "with its reason");
	}
}

static void
test_tolerated(void)
{
	struct buf b = BUF(pem_text);
	const char *why, *p;

	buf_str(&b, "Bag Attributes\r\n    localKeyID: 01\r\n");
	for (p = ec256_pkcs8; *p; p++) {
		if (*p == '\n')
			buf_char(&b, '\r');
		buf_char(&b, *p);
	}
	buf_str(&b, "the end");
	ok(read_flush(pem_text, b.len, &why) == 0 && strcmp(rewritten(&key), ec256_pkcs8) == 0,
	    "text around a key and CRLF are tolerated");
}

static void
test_rsa_sizes(void)
{
	static const struct {
		size_t bytes;
		int top;
		const char *why;
	} rows[] = {
		{ 128, 0x80, "RSA below 2048 bits" }, { 255, 0xff, "RSA below 2048 bits" },
		{ 256, 0x7f, "RSA below 2048 bits" }, { 256, 0x80, "its numbers do not belong together" },
		{ 257, 0x01, "RSA of a size other than 2048, 3072 or 4096 bits" },
		{ 320, 0x80, "RSA of a size other than 2048, 3072 or 4096 bits" },
		{ 384, 0x7f, "RSA of a size other than 2048, 3072 or 4096 bits" },
		{ 384, 0x80, "its numbers do not belong together" },
		{ 512, 0x7f, "RSA of a size other than 2048, 3072 or 4096 bits" },
		{ 512, 0x80, "its numbers do not belong together" },
		{ 513, 0x01, "RSA above 4096 bits" }, { 1024, 0x80, "RSA above 4096 bits" },
	};
	char n[1024];
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sk sk = sk_of(rsa2048_pkcs1);

		memset(n, 1, sizeof(n));
		n[0] = (char)rows[i].top;
		sk.n.p = n;
		sk.n.n = rows[i].bytes;
		snprintf(scratch, sizeof(scratch), "modulus of %u bytes from %02x", (unsigned)rows[i].bytes,
		    (unsigned)rows[i].top);
		ok(key_read(&key, slice(pem_of(&sk)), &why) == -1, scratch);
		is_str(why, rows[i].why, "is refused with its reason");
	}
	memset(scratch, 'A', sizeof(scratch));
	memcpy(scratch, "-----BEGIN RSA PRIVATE KEY-----\n", 32);
	memcpy(scratch + sizeof(scratch) - 32, "\n-----END RSA PRIVATE KEY-----\n", 32);
	ok(key_read(&key, slice(scratch), &why) == -1 && strcmp(why, "too long for a private key") == 0,
	    "more than any key has is refused");
}

static void
test_rsa_numbers(void)
{
	static const char *const name[] = { "n", "e", "d", "p", "q", "dp", "dq", "iq" };
	char wrong[300];
	const char *why;
	size_t i, at;

	for (i = 0; i < 8; i++) {
		struct sk sk = sk_of(rsa2048_pkcs1);
		struct slice *number[] = { &sk.n, &sk.e, &sk.d, &sk.p, &sk.q, &sk.dp, &sk.dq, &sk.iq };
		struct slice *s = number[i];
		int good = 1;

		memcpy(wrong, s->p, s->n);
		s->p = wrong;
		for (at = 0; at < s->n; at += s->n / 3 + (s->n < 3)) {
			wrong[at] ^= 2;
			good = good && key_read(&key, slice(pem_of(&sk)), &why) == -1;
			wrong[at] ^= 2;
		}
		memset(wrong, 0, s->n);
		good = good && key_read(&key, slice(pem_of(&sk)), &why) == -1;
		snprintf(scratch, sizeof(scratch), "RSA with a wrong %s is refused", name[i]);
		ok(good, scratch);
	}
}

static void
test_rsa_shapes(void)
{
	struct sk sk = sk_of(rsa2048_pkcs1);
	char long_p[129], e[5] = { 1, 0, 0, 0, 1 };
	const char *why;

	memset(long_p, 1, sizeof(long_p));
	sk.p.p = long_p;
	sk.p.n = sizeof(long_p);
	ok(key_read(&key, slice(pem_of(&sk)), &why) == -1 &&
	    strcmp(why, "RSA with primes of different sizes") == 0, "a prime above half the size is refused");
	sk = sk_of(rsa2048_pkcs1);
	sk.e.p = e;
	sk.e.n = 5;
	ok(key_read(&key, slice(pem_of(&sk)), &why) == -1 &&
	    strcmp(why, "RSA with an unusual public exponent") == 0, "so is an exponent over 32 bits");
	sk.e.n = 1;
	ok(key_read(&key, slice(pem_of(&sk)), &why) == -1 &&
	    strcmp(why, "RSA with an unusual public exponent") == 0, "or of 1");
	sk.e.n = 4;
	ok(key_read(&key, slice(pem_of(&sk)), &why) == -1 &&
	    strcmp(why, "RSA with an unusual public exponent") == 0, "or an even one");
}

/* Flips one bit in each so manieth byte of the DER: never a key again. */
static int
corrupted(const char *pem, size_t step)
{
	char der[3000];
	struct slice text = slice(pem), label;
	struct buf d = BUF(der);
	const char *why;
	char name[32];
	size_t i;
	int good;

	pem_next(&text, &label, &d);
	slice_copy(label, name, sizeof(name));
	for (good = 1, i = 0; good && i < d.len; i += step) {
		struct buf b = BUF(pem_text);

		der[i] ^= 1;
		pem_encode(&b, name, der, d.len);
		good = key_read(&key, buf_view(&b), &why) == -1 && all_zero(&key, sizeof(key));
		der[i] ^= 1;
	}
	if (!good)
		printf("# byte %u\n", (unsigned)(i - step));
	return good;
}

static void
test_corrupted(void)
{
	ok(corrupted(ec256_sec1, 1) && corrupted(ec256_pkcs8, 1) && corrupted(ec384_pkcs8, 3),
	    "an EC key with one wrong bit anywhere is refused");
	ok(corrupted(rsa2048_pkcs1, 41) && corrupted(rsa4096_pkcs8, 239),
	    "an RSA key with one wrong bit is refused");
}

static void
test_ec_range(void)
{
	/* The orders of P-256 and P-384 (SEC 2). */
	static const unsigned char order[2][48] = {
		"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x63\x4d\x81\xf4\x37\x2d\xdf"
		"\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73",
	};
	static const size_t size[2] = { 32, 48 };
	unsigned char x[48];
	struct sk sk = { .type = PK_P256 };
	const char *why;
	int c, step;

	for (c = 0; c < 2; c++) {
		sk.type = c ? PK_P384 : PK_P256;
		sk.x = slice_of(x, size[c]);
		for (step = -1; step <= 1; step++) {
			memcpy(x, order[c], sizeof(x));
			x[size[c] - 1] = (unsigned char)(x[size[c] - 1] + step);
			snprintf(scratch, sizeof(scratch), "P-%s: secret of order %+d", c ? "384" : "256", step);
			ok(key_read(&key, slice(pem_of(&sk)), &why) == (step < 0 ? 0 : -1), scratch);
		}
		memset(x, 0xff, sizeof(x));
		ok(key_read(&key, slice(pem_of(&sk)), &why) == -1, "all ones");
		memset(x, 0, sizeof(x));
		ok(key_read(&key, slice(pem_of(&sk)), &why) == -1, "zero");
		x[size[c] - 1] = 1;
		ok(key_read(&key, slice(pem_of(&sk)), &why) == 0, "one");
	}
}

/* base64url into the static memory at *at. */
static struct slice
unbase64(const char *text, char **at)
{
	struct buf b;

	buf_init(&b, *at, 600);
	base64url_decode(&b, slice(text));
	*at += b.len;
	return buf_view(&b);
}

static struct slice
unhex(const char *text, char **at)
{
	struct slice s = { *at, strlen(text) / 2 };
	unsigned v;

	for (; *text; text += 2, ++*at) {
		sscanf(text, "%2x", &v);
		**at = (char)v;
	}
	return s;
}

#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const char rs256_input[] = "eyJhbGciOiJSUzI1NiJ9." PAYLOAD;
static const char es256_input[] = "eyJhbGciOiJFUzI1NiJ9." PAYLOAD;

static const char oid_rsa256[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
static const char oid_ec_sha256[] = "\x2a\x86\x48\xce\x3d\x04\x03\x02";
static const char oid_ec_sha384[] = "\x2a\x86\x48\xce\x3d\x04\x03\x03";

static void
test_rs256(void)
{
	char mem[2048], *at = mem, sig[600];
	struct buf b = BUF(scratch), s = BUF(sig);
	struct sk sk = { .type = PK_RSA };
	struct pk pk;
	const char *why;

	sk.n = unbase64("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx"
	    "HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs"
	    "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH"
	    "SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV"
	    "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8"
	    "NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ", &at);
	sk.e = unbase64("AQAB", &at);
	sk.d = unbase64("Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97I"
	    "jlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0"
	    "BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn"
	    "439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYT"
	    "CBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLh"
	    "BOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ", &at);
	sk.p = unbase64("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdi"
	    "YrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPG"
	    "BY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc", &at);
	sk.q = unbase64("uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxa"
	    "ewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA"
	    "-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc", &at);
	sk.dp = unbase64("BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3Q"
	    "CLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb"
	    "34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0", &at);
	sk.dq = unbase64("h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa"
	    "7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-ky"
	    "NlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU", &at);
	sk.iq = unbase64("IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2o"
	    "y26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLU"
	    "W0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U", &at);
	ok(key_read(&key, slice(pem_of(&sk)), &why) == 0, "RFC 7515 A.2: the key is read");
	ok(key_sign_raw(&key, rs256_input, strlen(rs256_input), &s) == 0, "it signs");
	base64url_encode(&b, sig, s.len);
	is_str(buf_text(&b), "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
	    "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
	    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
	    "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
	    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
	    "p0igcN_IoypGlUPQGe77Rw", "as the RFC has it");
	key_public(&key, &pk);
	ok(pk.type == PK_RSA && same(pk.a, sk.n) && same(pk.b, sk.e) && key_same(&key, &pk),
	    "public half without leading zeros");
	ok(key_verify(&pk, slice(oid_rsa256), rs256_input, strlen(rs256_input), buf_view(&s)) == 1 &&
	    key_verify(&pk, slice(oid_rsa256), rs256_input, strlen(rs256_input) - 1, buf_view(&s)) == 0,
	    "it verifies, for this message only");
}

/* A raw signature as in X.509. */
static struct slice
der_signature(const char *raw, size_t n, struct buf *b)
{
	size_t m = der_open(b, DER_SEQUENCE);

	der_uint(b, (const unsigned char *)raw, n / 2);
	der_uint(b, (const unsigned char *)raw + n / 2, n / 2);
	der_close(b, m);
	return buf_view(b);
}

static void
test_es256(void)
{
	char mem[2048], *at = mem, raw[200], der[200], rfc_der[200];
	struct buf r = BUF(raw), d = BUF(der), rd = BUF(rfc_der);
	struct sk sk = { .type = PK_P256 };
	struct slice x, y, rfc;
	struct pk pk;
	const char *why;
	size_t n = strlen(es256_input);

	sk.x = unbase64("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", &at);
	x = unbase64("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", &at);
	y = unbase64("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", &at);
	rfc = unbase64("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
	    "pmWQxfKTUJqPP3-Kg6NU1Q", &at);
	ok(key_read(&key, slice(pem_of(&sk)), &why) == 0, "RFC 7515 A.3: the key is read");
	key_public(&key, &pk);
	ok(pk.type == PK_P256 && same(pk.a, x) && same(pk.b, y), "its public half is computed");
	ok(key_verify(&pk, slice(oid_ec_sha256), es256_input, n, der_signature(rfc.p, 64, &rd)) == 1,
	    "the RFC's signature verifies");
	ok(key_sign_raw(&key, es256_input, n, &r) == 0 && r.len == 64, "a raw signature has 64 bytes");
	d.len = 0;
	ok(key_verify(&pk, slice(oid_ec_sha256), es256_input, n, der_signature(raw, 64, &d)) == 1,
	    "and verifies");
}

static void
test_rfc6979(void)
{
	static const struct {
		const char *name, *x, *message, *rs;
		enum pk_type type;
	} rows[] = {
		{ "RFC 6979 A.2.5 P-256 sample",
		    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "sample",
		    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
		    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8", PK_P256 },
		{ "RFC 6979 A.2.5 P-256 test",
		    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "test",
		    "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
		    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083", PK_P256 },
		{ "RFC 6979 A.2.6 P-384 sample",
		    "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
		    "96D5724E4C70A825F872C9EA60D2EDF5", "sample",
		    "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
		    "81A648152E44ACF96E36DD1E80FABE46"
		    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
		    "A329C145786E679E7B82C71A38628AC8", PK_P384 },
	};
	size_t i;
	const char *why;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[400], *at = mem, raw[100];
		struct buf r = BUF(raw);
		struct sk sk = { .type = rows[i].type };
		struct slice want;

		sk.x = unhex(rows[i].x, &at);
		want = unhex(rows[i].rs, &at);
		ok(key_read(&key, slice(pem_of(&sk)), &why) == 0 &&
		    key_sign_raw(&key, rows[i].message, strlen(rows[i].message), &r) == 0 &&
		    same(buf_view(&r), want), rows[i].name);
	}
}

/* Signs many messages, so that r and s begin with all sorts of bytes. */
static int
der_signatures(const char *pem, const char *oid, int count)
{
	size_t shortest = 1000, longest = 0, half;
	const char *why;
	struct pk pk;
	int i;

	if (key_read(&key, slice(pem), &why))
		return 0;
	half = kinds[key.type].size;
	key_public(&key, &pk);
	for (i = 0; i < count; i++) {
		char sig[200];
		struct buf b = BUF(sig);
		struct der d, s;
		struct slice r1, s1;

		if (key_sign_der(&key, &i, sizeof(i), &b))
			return 0;
		d = der_of(buf_view(&b));
		s = der_enter(&d, DER_SEQUENCE);
		r1 = der_take_uint(&s);
		s1 = der_take_uint(&s);
		if (!der_end(&s) || !der_end(&d) || r1.n > half || s1.n > half ||
		    key_verify(&pk, slice(oid), &i, sizeof(i), buf_view(&b)) != 1)
			return 0;
		shortest = b.len < shortest ? b.len : shortest;
		longest = b.len > longest ? b.len : longest;
	}
	printf("# %u to %u bytes\n", (unsigned)shortest, (unsigned)longest);
	return shortest < longest;
}

static void
test_der_signatures(void)
{
	ok(der_signatures(ec256_pkcs8, oid_ec_sha256, 300), "P-256 signatures are strict DER, and verify");
	ok(der_signatures(ec384_pkcs8, oid_ec_sha384, 50), "so are P-384's");
}

static void
test_sign_room(void)
{
	static const char *const pems[] = { ec256_pkcs8, ec384_pkcs8, rsa2048_pkcs8 };
	const char *why;
	char sig[600];
	size_t i;
	int good = 1;

	for (i = 0; i < 3; i++) {
		struct buf b, c;

		good = good && key_read(&key, slice(pems[i]), &why) == 0;
		buf_init(&b, sig, 60);
		buf_init(&c, sig, 60);
		good = good && key_sign_der(&key, "m", 1, &b) == -1 && b.err &&
		    key_sign_raw(&key, "m", 1, &c) == -1 && c.err;
	}
	ok(good, "a signature without room fails");
	key_wipe(&key);
	{
		struct buf b = BUF(sig);

		ok(key_sign_raw(&key, "m", 1, &b) == -1 && key_sign_der(&key, "m", 1, &b) == -1,
		    "so does one without key");
	}
	{
		struct buf b = BUF(sig);

		key_read(&key, slice(rsa2048_pkcs8), &why);
		key.secret[40] ^= 1;
		ok(key_sign_raw(&key, "m", 1, &b) == -1 && b.len == 0, "a miscomputed RSA signature is withheld");
	}
}

/* Signs with BearSSL directly, by a hash that key_sign does not choose. */
static size_t
sign_as(const struct scheme *s, const void *p, size_t n, unsigned char *out)
{
	unsigned char hash[64];
	size_t len = digest(s->hash, p, n, hash);
	br_rsa_private_key rsa;
	br_ec_private_key ec;

	if (!s->rsa) {
		ec = ec_private(&key);
		return br_ecdsa_i31_sign_asn1(CURVES, s->hash, hash, &ec, out);
	}
	rsa = rsa_private(&key);
	return br_rsa_pkcs1_sign_get_default()(s->hash_oid, hash, len, &rsa, out) ?
	    2 * kinds[key.type].size : 0;
}

static void
test_verify(void)
{
	static const struct {
		const char *name, *pem;
	} rows[] = {
		{ "RSA 2048", rsa2048_pkcs8 }, { "RSA 3072", rsa3072_pkcs8 }, { "P-256", ec256_pkcs8 },
		{ "P-384", ec384_pkcs8 },
	};
	const struct scheme *s, *end = schemes + sizeof(schemes) / sizeof(*schemes), *t;
	unsigned char out[600];
	const char *why;
	struct pk pk;
	size_t i, n = 0, k;
	int good, wrong;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		key_read(&key, slice(rows[i].pem), &why);
		key_public(&key, &pk);
		good = wrong = 1;
		for (s = schemes; s < end; s++) {
			if (s->rsa != (pk.type == PK_RSA))
				continue;
			n = sign_as(s, "abc", 3, out);
			for (t = schemes; t < end; t++) {
				int v = key_verify(&pk, slice(t->oid + 1), "abc", 3, slice_of(out, n));

				if (t == s)
					good = good && v == 1;
				else
					wrong = wrong && v == 0;
			}
			for (k = 0; k < n; k += 1 + n / 20)
				wrong = wrong && !key_verify(&pk, slice(s->oid + 1), "abc", 3, slice_of(out, k));
			out[n / 2] ^= 1;
			wrong = wrong && !key_verify(&pk, slice(s->oid + 1), "abc", 3, slice_of(out, n)) &&
			    !key_verify(&pk, slice(s->oid + 1), "abd", 3, slice_of(out, n));
		}
		snprintf(scratch, sizeof(scratch), "%s: signatures with three hashes verify", rows[i].name);
		ok(good, scratch);
		ok(wrong, "other algorithms, prefixes and changed signatures do not");
	}
	pk.type = PK_NONE;
	ok(key_verify(&pk, slice(oid_ec_sha384), "abc", 3, slice_of(out, n)) == 0, "nor by a key of no known type");
	memset(scratch, 0xff, 128);
	pk.type = PK_RSA;
	pk.a.p = scratch;
	pk.a.n = 128;
	pk.b = slice("\3");
	ok(key_verify(&pk, slice(oid_rsa256), "abc", 3, slice_of(out, 128)) == 0, "nor by a short RSA key");
	pk.type = PK_P256;
	pk.a.n = pk.b.n = 32;
	pk.b.p = scratch;
	ok(key_verify(&pk, slice(oid_ec_sha256), "abc", 3, slice_of(out, n)) == 0, "nor by a point off the curve");
}

static void
test_types(void)
{
	static const struct {
		const char *name;
		enum key_type type;
	} rows[] = {
		{ "ec256", KEY_EC256 }, { "ec384", KEY_EC384 }, { "rsa2048", KEY_RSA2048 },
		{ "rsa3072", KEY_RSA3072 }, { "rsa4096", KEY_RSA4096 }, { "ec-256", KEY_EC256 },
		{ "ec-384", KEY_EC384 }, { "2048", KEY_RSA2048 }, { "3072", KEY_RSA3072 },
		{ "4096", KEY_RSA4096 }, { "ec521", KEY_NONE }, { "", KEY_NONE }, { "ec2567", KEY_NONE },
		{ "1024", KEY_NONE }, { "none", KEY_NONE },
	};
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		good = good && key_type(rows[i].name) == rows[i].type;
	for (i = 0; i < 5; i++)
		good = good && strcmp(key_type_name(rows[i].type), rows[i].name) == 0;
	ok(good, "key types by name, acme.sh's names too");
}

static void
test_generate(void)
{
	int last = getenv("KEY_SLOW") ? KEY_RSA4096 : KEY_RSA2048, t;
	const char *why;
	struct pk pk;

	for (t = KEY_EC256; t <= last; t++) {
		char sig[600], text[60];
		struct buf b = BUF(sig);

		snprintf(text, sizeof(text), "%s is made", key_type_name((enum key_type)t));
		ok(key_generate(&key, (enum key_type)t) == 0 && key.type == (enum key_type)t, text);
		memcpy(pem_text, rewritten(&key), strlen(rewritten(&key)) + 1);
		ok(strlen(pem_text) < LIMIT_PEM_KEY && key_read(&other, slice(pem_text), &why) == 0 &&
		    memcmp(&other, &key, sizeof(key)) == 0, "written and read, it is the same");
		key_public(&key, &pk);
		ok(key_same(&other, &pk) && key_sign_raw(&key, "m", 1, &b) == 0, "it signs");
		ok(key_generate(&other, t < KEY_RSA2048 ? (enum key_type)t : KEY_EC256) == 0 &&
		    !key_same(&other, &pk), "another one is another one");
	}
	memset(&key, 0xaa, sizeof(key));
	ok(key_generate(&key, KEY_NONE) == -1 && all_zero(&key, sizeof(key)), "no type, no key");
}

static void
test_write_room(void)
{
	const char *why;
	struct buf b;
	size_t n;
	int good = key_read(&key, slice(ec256_pkcs8), &why) == 0;

	for (n = 0; n < strlen(ec256_pkcs8); n++) {
		buf_init(&b, scratch, n);
		key_write(&key, &b);
		good = good && b.err;
	}
	ok(good, "a key without room sets err");
	good = key_read(&key, slice(rsa4096_pkcs8), &why) == 0 && strlen(rewritten(&key)) <= LIMIT_PEM_KEY;
	ok(good, "the largest key fits its limit");
}

static void
play(const int *script, size_t n)
{
	memset(&world, 0, sizeof(world));
	memcpy(world.script, script, n * sizeof(*script));
	world.on = 1;
	world.now = 1000;
	memset(scratch, 0, 64);
}

#define PLAY(...) do { const int s_[] = { __VA_ARGS__ }; play(s_, sizeof(s_) / sizeof(*s_)); } while (0)

static int
filled(void)
{
	int i;

	for (i = 0; i < 48; i++)
		if (scratch[i] != 0x5a)
			return 0;
	return scratch[48] == 0;
}

static void
test_getrandom(void)
{
	int i;

	PLAY(0);
	ok(entropy(scratch, 48) == 0 && filled() && world.at == 1, "entropy comes from getrandom");
	PLAY(1, 40, 0);
	ok(entropy(scratch, 48) == 0 && filled() && world.at == 3, "in pieces, too");
	PLAY(-EINTR, 5, -EINTR, -EINTR, 0);
	ok(entropy(scratch, 48) == 0 && filled(), "and after interruptions");
	PLAY(0);
	ok(entropy(scratch, 0) == 0 && world.at == 0, "no bytes need none");
	PLAY(-EAGAIN, -EAGAIN, -EAGAIN, 0);
	ok(entropy(scratch, 48) == 0 && filled() && world.waits == 3 && world.warnings == 0,
	    "at early boot it waits");
	PLAY(0);
	for (i = 0; i < 35; i++)
		world.script[i] = -EAGAIN;
	ok(entropy(scratch, 48) == 0 && filled() && world.waits == 35 && world.warnings == 1,
	    "says so once when it takes over a second, and goes on");
	PLAY(-EAGAIN, -EAGAIN, 0);
	world.signal_after = 2;
	ok(entropy(scratch, 48) == -1, "a stop signal ends the wait");
}

static void
test_devices(void)
{
	PLAY(-ENOSYS);
	world.device[0] = world.device[1] = "/dev/zero";
	memset(scratch, 0x55, 64);
	ok(entropy(scratch, 48) == 0 && all_zero(scratch, 48) && scratch[48] == 0x55,
	    "without getrandom, bytes come from urandom");
	ok(world.polled == 1 && world.opened[0] == 1 && world.opened[1] == 1, "once random is readable");
	PLAY(3, -EPERM);
	world.device[0] = world.device[1] = "/dev/zero";
	world.ready_after = 20;
	ok(entropy(scratch, 48) == 0 && scratch[2] == 0x5a && scratch[3] == 0 &&
	    world.polled == 21 && world.warnings == 1, "it waits for random, and says so");
	PLAY(-ENOSYS);
	world.device[0] = world.device[1] = "/dev/zero";
	world.ready_after = 20;
	world.signal_after = 5;
	ok(entropy(scratch, 48) == -1 && world.opened[1] == 0, "a stop signal ends that wait");
	PLAY(-ENOSYS);
	world.device[1] = "/dev/zero";
	ok(entropy(scratch, 48) == -1, "no random, no entropy");
	PLAY(-ENOSYS);
	world.device[0] = "/dev/zero";
	ok(entropy(scratch, 48) == -1, "no urandom, no entropy");
	PLAY(-ENOSYS);
	world.device[0] = "/dev/zero";
	world.device[1] = "/proc/self/exe";
	ok(entropy(scratch, 48) == -1, "an ordinary file in its place is not read");
	PLAY(-ENOSYS);
	world.device[0] = "/dev/zero";
	world.device[1] = "/dev/null";
	ok(entropy(scratch, 48) == -1, "too few bytes are none");
}

static void
test_no_entropy(void)
{
	drbg_owner = 0;
	PLAY(-ENOSYS, -ENOSYS, -ENOSYS);
	memset(&key, 0xaa, sizeof(key));
	ok(random_below(1000) == 0, "no entropy, no random number");
	world.on = 0;
	PLAY(-ENOSYS, -ENOSYS, -ENOSYS);
	drbg_owner = 0;
	ok(!random_prng() && random_bytes(scratch, 8) == -1 && drbg_owner == 0, "no entropy, no generator");
	ok(key_generate(&key, KEY_EC256) == -1 && all_zero(&key, sizeof(key)), "and no key");
	world.on = 0;
}

static void
test_random(void)
{
	unsigned char a[32], b[32], c[32] = { 0 };
	int fd[2], status, i;
	unsigned low = 0, middle = 0;
	uint32_t v;
	pid_t pid;

	for (i = 0; i < 3000; i++) {
		/* a remainder alone would be in the lower half two times of three */
		v = random_below(0xc0000000u);
		low += v < 0x60000000u;
		middle += random_below(3) == 1;
	}
	ok(low > 1300 && low < 1700 && middle > 850 && middle < 1150, "random numbers favour none");
	for (i = 0; i < 100 && random_below(1) == 0 && random_below(7) < 7; i++)
		;
	ok(i == 100, "and stay below their limit");
	ok(random_bytes(a, 32) == 0 && random_bytes(b, 32) == 0 && memcmp(a, b, 32) != 0,
	    "random bytes do not repeat");
	if (pipe(fd) < 0 || (pid = fork()) < 0)
		return;
	if (pid == 0) {
		random_bytes(c, 32);
		_exit(write(fd[1], c, 32) != 32);
	}
	waitpid(pid, &status, 0);
	random_bytes(a, 32);
	ok(status == 0 && read(fd[0], c, 32) == 32 && memcmp(a, c, 32) != 0, "nor in a forked child");
}

int
main(void)
{
	test_accepted();
	test_refused();
	test_tolerated();
	test_rsa_sizes();
	test_rsa_numbers();
	test_rsa_shapes();
	test_corrupted();
	test_ec_range();
	test_rs256();
	test_es256();
	test_rfc6979();
	test_der_signatures();
	test_sign_room();
	test_verify();
	test_types();
	test_generate();
	test_write_room();
	test_getrandom();
	test_devices();
	test_no_entropy();
	test_random();
	return tap_done();
}
