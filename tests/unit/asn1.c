/*
 * asn1: DER both ways, key structures, requests, certificates.  The vectors
 * are RFC 9773 A, RFC 8737 3 and what openssl 3.0 writes; the keys guard nothing.
 */
#include <stdlib.h>

#include "../tap.h"
#include "../../asn1.c"
#include "../../base64.h"

static const char ca_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbjCCARSgAwIBAgIBATAKBggqhkjOPQQDAjAkMRAwDgYDVQQKDAdUZXN0ZXJz\n"
    "MRAwDgYDVQQDDAdUZXN0IENBMCAXDTI2MTEyMzIzNDIxNloYDzIwODEwODI2MjM0\n"
    "MjE2WjAkMRAwDgYDVQQKDAdUZXN0ZXJzMRAwDgYDVQQDDAdUZXN0IENBMFkwEwYH\n"
    "KoZIzj0CAQYIKoZIzj0DAQcDQgAE5PAb385gf2Ohkv7t765nXNaq96A7WIchwt2m\n"
    "VopC1JxRHQ1riy8DH5q27sEnidId5wriVOgYVWomfso+tkqA7aM1MDMwEgYDVR0T\n"
    "AQH/BAgwBgEB/wIBADAdBgNVHQ4EFgQUOGT5dnPZ0PwY16k5o0qzdg3xOVAwCgYI\n"
    "KoZIzj0EAwIDSAAwRQIgalMV3ZSjQL29Ib8p6aTjWfA6Kfq23YwBlURPoGvvnlQC\n"
    "IQCRKv3phGevIyfVptPqwlhozpDZV2It3/8XVgA1QhZjhQ==\n"
    "-----END CERTIFICATE-----\n";

static const char leaf_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIICYzCCAgigAwIBAgILAP/u3cy7qpmId2YwCgYIKoZIzj0EAwIwJDEQMA4GA1UE\n"
    "CgwHVGVzdGVyczEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjExMjMyMzQyNDBaFw0y\n"
    "NzAyMjEyMzQyNDBaMDgxDjAMBgNVBAMMBWZpcnN0MRAwDgYDVQQKDAdUZXN0ZXJz\n"
    "MRQwEgYDVQQDDAtleGFtcGxlLmNvbTB2MBAGByqGSM49AgEGBSuBBAAiA2IABMsc\n"
    "nyCS2hRXcfwT1KcQJu5S79r7J3FKiOWL7nM/uoD9WdcfgoKLYOaVBqfE3q9sFkwv\n"
    "cq1ID+TeNNu0koPCWWEHXEgYuRH6ttxm901i4xm8mkZlqaXUM4mmphhxIOYT+KOB\n"
    "7zCB7DBiBgNVHREEWzBZggtleGFtcGxlLmNvbYENYUBleGFtcGxlLmNvbYINKi5l\n"
    "eGFtcGxlLmNvbYcEwAACAYYUaHR0cHM6Ly9leGFtcGxlLmNvbS+HECABDbgAAAAA\n"
    "AAAAAAAAAAEwCQYDVR0TBAIwADAOBgNVHQ8BAf8EBAMCB4AwHQYDVR0OBBYEFLmD\n"
    "AVfUloehztjQoLdyMRl8ZyS6MEwGA1UdIwRFMEOAFDhk+XZz2dD8GNepOaNKs3YN\n"
    "8TlQoSikJjAkMRAwDgYDVQQKDAdUZXN0ZXJzMRAwDgYDVQQDDAdUZXN0IENBggEB\n"
    "MAoGCCqGSM49BAMCA0kAMEYCIQDP4+d2UO8wgobCti6LEJ0YzMigvEIFjIxXCmFJ\n"
    "YF2z9wIhAINtmqY02SETOvQukj7eTwSTxrL1xTmSGDCTf6qaRbOB\n"
    "-----END CERTIFICATE-----\n";

static const char csr_cn[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBDzCBlgIBADAXMRUwEwYDVQQDDAxvbmx5LmV4YW1wbGUwdjAQBgcqhkjOPQIB\n"
    "BgUrgQQAIgNiAATLHJ8gktoUV3H8E9SnECbuUu/a+ydxSojli+5zP7qA/VnXH4KC\n"
    "i2DmlQanxN6vbBZML3KtSA/k3jTbtJKDwllhB1xIGLkR+rbcZvdNYuMZvJpGZaml\n"
    "1DOJpqYYcSDmE/igADAKBggqhkjOPQQDAgNoADBlAjAvolX/gCkFu6l/bePZOKDO\n"
    "KdMljzwNFAOfceayrkN8RGhBCXtGcT8BK8bhAHxEqc8CMQDlZoOzHo23UAjfKox8\n"
    "7Xo0K6xd6J0Fp+Wb5t2Zyk78n86/9mylR7kkDLRdXWqvePY=\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_same[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBQzCBywIBADAUMRIwEAYDVQQDDAlBLmV4YW1wbGUwdjAQBgcqhkjOPQIBBgUr\n"
    "gQQAIgNiAATLHJ8gktoUV3H8E9SnECbuUu/a+ydxSojli+5zP7qA/VnXH4KCi2Dm\n"
    "lQanxN6vbBZML3KtSA/k3jTbtJKDwllhB1xIGLkR+rbcZvdNYuMZvJpGZaml1DOJ\n"
    "pqYYcSDmE/igODA2BgkqhkiG9w0BCQ4xKTAnMCUGA1UdEQQeMByCCWEuZXhhbXBs\n"
    "ZYIJYi5leGFtcGxlhwTAAAIHMAoGCCqGSM49BAMCA2cAMGQCMF9BKSnYR+3tGqrn\n"
    "aa3DAhvinAByo4mO2OckhlRsdDF/6vvoG3s6E5M8iPlMCO7w+gIwGF6eZMIXS1X6\n"
    "CWEBiD2rkiYFpzwtC9W49A8sIZC3zHjnQJAxtPf98F+z3c8dm4/k\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_other[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBPzCBxQIBADAUMRIwEAYDVQQDDAljLmV4YW1wbGUwdjAQBgcqhkjOPQIBBgUr\n"
    "gQQAIgNiAATLHJ8gktoUV3H8E9SnECbuUu/a+ydxSojli+5zP7qA/VnXH4KCi2Dm\n"
    "lQanxN6vbBZML3KtSA/k3jTbtJKDwllhB1xIGLkR+rbcZvdNYuMZvJpGZaml1DOJ\n"
    "pqYYcSDmE/igMjAwBgkqhkiG9w0BCQ4xIzAhMBQGA1UdEQQNMAuCCWEuZXhhbXBs\n"
    "ZTAJBgNVHRMEAjAAMAoGCCqGSM49BAMCA2kAMGYCMQCMYLWf7ddjYsLCfWhkPl1i\n"
    "2IvDu2Zq8JElBB8yNAzduZePIrNmtU8H/jOhP8eDE8gCMQD3Qyhy84Dt9E4MokaZ\n"
    "14WEJZ3pmEBZ5cOhhOYayIhDsGhYWwJ2OXm2VYG72Ascll8=\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_attribute[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBSjCB0AIBADAMMQowCAYDVQQKDAF4MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE\n"
    "yxyfIJLaFFdx/BPUpxAm7lLv2vsncUqI5Yvucz+6gP1Z1x+Cgotg5pUGp8Ter2wW\n"
    "TC9yrUgP5N4027SSg8JZYQdcSBi5Efq23Gb3TWLjGbyaRmWppdQziaamGHEg5hP4\n"
    "oEUwFQYJKoZIhvcNAQkHMQgMBnNlY3JldDAsBgkqhkiG9w0BCQ4xHzAdMBsGA1Ud\n"
    "EQQUMBKHECABDbgAAAAAAAAAAAAAAAcwCgYIKoZIzj0EAwIDaQAwZgIxAKxZ56y8\n"
    "d7eBEvdli/MixHbA1LHQFb3IM3hn3VCmXV1nqhoA2BorpO6m7C3CTK/FCQIxAJ/y\n"
    "U0sEkjO1Dwr7v4xK98tQHx23kpacL7nNcBlcxj63IUymEgGLBuopxAno6P3xkw==\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_p521[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBWjCBvAIBADAXMRUwEwYDVQQDDAxwNTIxLmV4YW1wbGUwgZswEAYHKoZIzj0C\n"
    "AQYFK4EEACMDgYYABADNLZjvQN+jR+tHnhCqR8FedGqQiC/D+ZGR0z4dl1o4Tqbh\n"
    "uPe5u8r6I/v9egqwd47qJwhCGvXrR1kL+mFa7B7HdQGuz00KnJlRfvbqtNyip75y\n"
    "CkLQtCG0/lPPC33PmTi9Al9qJVOS6kfyhSTevnqlk8YOPzQt61dwGfaHM0jbilPS\n"
    "/qAAMAoGCCqGSM49BAMCA4GMADCBiAJCAbVLmZVebf2zlFuL3YvUXc7eImgKNphJ\n"
    "yIT5uEocrIbihmk5fm5LBWZS7l4SsVqBNQRfai4EkVFkxGQ9KzXEV5C8AkIBlYQm\n"
    "uN6gBq/Btxh5nJOjlxmx9BUozIkT+l7x27o+BHgABLvyC1GMLSPIOHQMiaavKsVY\n"
    "oYg+ob9E7S78nzn3XbY=\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char csr_rsa[] =
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIICbDCCAVQCAQAwADCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALS7\n"
    "JE/gIkDtfYxcyyLMSlC4ds1gK8dkcIERe62z6yEu0AOmHWnqJkYcw6t6R/Mt7c+N\n"
    "x8dKx/BSwF1HT/8HHMpzsMJQw5HUCwV/CqtIz4cOJTd12UXpplHbTrTGTe/lBii4\n"
    "YYz2+cXk8asNjiw3VacJ7CAAR6wykj9kKzXcGZzSynKgPZdkX4pOBoSnGWbcmI+q\n"
    "2Z0ELSoCI8dUGob38TEqwhGTzb8fu1j1zt70L/0WUI8SWHXnPBToUy/o6exRHzVL\n"
    "vobVRk3ASEu3g7cLaNCLyMerbIkEOYAjXkob+vEiWWTVvmeP5tFTbCWyOysu4hLK\n"
    "+e9FhNC05zN63zTu6rUCAwEAAaAnMCUGCSqGSIb3DQEJDjEYMBYwFAYDVR0RBA0w\n"
    "C4IJci5leGFtcGxlMA0GCSqGSIb3DQEBCwUAA4IBAQBilPYjtsllSJemmy3rYDIC\n"
    "ipHdZt/JmAweQ0ssiAq0/nl2oUCcjYOBaYQ9EjaS3MFTyy8ERNqOfjbbi8QN8k+p\n"
    "oTb2eaxyQMRRD57E9kG4sLBWXXF2z6z7ahijQwZt19o3HxSjhwV1y0987RchXqdl\n"
    "T2VX74TQ4XQmskLSW86m3lN7O1OQ/FytHZJKTMUo3MBUoNF8YTK3/gpFy0+09yP9\n"
    "PrtqIipHHSdU4KIXaAt5bnPBwQ/XOGO7nHC1xu6mJ8FEmHEEP9lW76ZQnhgDl/Yf\n"
    "7S8UJPcLzaHVn2/Yl6SqZPXGRZGnjCYjrHvnx1HB2/5h0dyJenGqwQfPC4rScCtd\n"
    "-----END CERTIFICATE REQUEST-----\n";

static const char rsa_pkcs1[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEpAIBAAKCAQEAtLskT+AiQO19jFzLIsxKULh2zWArx2RwgRF7rbPrIS7QA6Yd\n"
    "aeomRhzDq3pH8y3tz43Hx0rH8FLAXUdP/wccynOwwlDDkdQLBX8Kq0jPhw4lN3XZ\n"
    "RemmUdtOtMZN7+UGKLhhjPb5xeTxqw2OLDdVpwnsIABHrDKSP2QrNdwZnNLKcqA9\n"
    "l2Rfik4GhKcZZtyYj6rZnQQtKgIjx1QahvfxMSrCEZPNvx+7WPXO3vQv/RZQjxJY\n"
    "dec8FOhTL+jp7FEfNUu+htVGTcBIS7eDtwto0IvIx6tsiQQ5gCNeShv68SJZZNW+\n"
    "Z4/m0VNsJbI7Ky7iEsr570WE0LTnM3rfNO7qtQIDAQABAoIBABFtjXQdZTg1Hpr7\n"
    "NMSDhjQQAbbOzBHze8zacn5+39DomnsLmQEGaQ/wRKcjyM3osyrFXYs4iRzB4hZs\n"
    "oshxN2PHcbdfQeitVa2/QThgslBv+wNE3EGbZSQ2HXoduFTGlUg2dYO6Kj5c1Dge\n"
    "O8RERsBvmsNAO6kdjFBMGMWeFqMyX+i5LMkmDZex+fqsZQrpolohCDMenVjVahbE\n"
    "9hnxI9D/Je/xpsVla8rBG3h7bgsHXS4P78zFvihwBE7pWtOJCcOIL8N4S9QgGB9i\n"
    "gJr1VlOojTM3h+tPCg30TEI6Wd4p6qKYDw+xbSUgdb6ZCpAqYyDJrTq2rGJ2690p\n"
    "0AjORXkCgYEA5raUep6KzteAIA+DiT9cUnpXXckL7CkkDpZA5WgYN+V+oKX5/Ukn\n"
    "oYFo6j+C5IlT8WCuuc1WiWaprNgYl9bjjh/7ohrzc8KlgUdBOGjjlRTJLGjfS1h4\n"
    "l3hI3bBg+aTx+64Rs5qJ0wwzURPmppJUX8Zp21JppVigLyHqoRiCmN0CgYEAyIol\n"
    "mvUW0t5EOhmyhu+5gDD/apsibyTeVDbvv3/moUybAizCYmix7Ge+D4HI3zJILmmj\n"
    "LBLD4e+beU+s2KfPE9RznUfrNUt1qstccLx4m81i1eakOUxgRlTDiS1REqzHWOc3\n"
    "LgCPef/wTSzsiYpIZ70Ca+VsMt6LIXJR0m+nj7kCgYEAujdKFsKapSLZfocnEwM6\n"
    "IDQxCji4z8/RE5kBHmjri0pH76Cn62E9hKUwKkpC+vVA9MWlocB0BYkAkMsG5p+C\n"
    "ofd8ojYApEHKVlNN+Bro/i59xcOL34O0KgXjQlQXocgZrJuuG/ozHk5tqRZYB8B6\n"
    "K6e5T1XwgY3MFN7aQ1bGKl0CgYAK68MKgkhg6WvLwjR/trRib8ipFJO2e8qDyY4a\n"
    "3qs/o31Zi/h2BX+TAT9PduDqjsFxjZ0uPENgnXzZCWa/UbwsN0ioiw8bEuXwjCyX\n"
    "kxv6WCAGyA2vdSJVEi6n3MjqfHBKviS6I5usqCx893JWNyqkQ53LJG5VAtuO0bv0\n"
    "+tGkOQKBgQC1HTS5fvcm8rzOxAoaLI3HQFb7NW7z8YKrec0AqEMRK/CcRnx73MrL\n"
    "kGQam3S+ZDxUiy0PB3CoOYyJngSUnm904yM16kgycmudIDt5lVxWa6mbCR8WYgOm\n"
    "ipPdBodshREGVlpQCiLCJJv3SWWHTQAx/yYBHs0FoGzucnSZT2zb0A==\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char rsa_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC0uyRP4CJA7X2M\n"
    "XMsizEpQuHbNYCvHZHCBEXuts+shLtADph1p6iZGHMOrekfzLe3PjcfHSsfwUsBd\n"
    "R0//BxzKc7DCUMOR1AsFfwqrSM+HDiU3ddlF6aZR2060xk3v5QYouGGM9vnF5PGr\n"
    "DY4sN1WnCewgAEesMpI/ZCs13Bmc0spyoD2XZF+KTgaEpxlm3JiPqtmdBC0qAiPH\n"
    "VBqG9/ExKsIRk82/H7tY9c7e9C/9FlCPElh15zwU6FMv6OnsUR81S76G1UZNwEhL\n"
    "t4O3C2jQi8jHq2yJBDmAI15KG/rxIllk1b5nj+bRU2wlsjsrLuISyvnvRYTQtOcz\n"
    "et807uq1AgMBAAECggEAEW2NdB1lODUemvs0xIOGNBABts7MEfN7zNpyfn7f0Oia\n"
    "ewuZAQZpD/BEpyPIzeizKsVdiziJHMHiFmyiyHE3Y8dxt19B6K1Vrb9BOGCyUG/7\n"
    "A0TcQZtlJDYdeh24VMaVSDZ1g7oqPlzUOB47xERGwG+aw0A7qR2MUEwYxZ4WozJf\n"
    "6LksySYNl7H5+qxlCumiWiEIMx6dWNVqFsT2GfEj0P8l7/GmxWVrysEbeHtuCwdd\n"
    "Lg/vzMW+KHAETula04kJw4gvw3hL1CAYH2KAmvVWU6iNMzeH608KDfRMQjpZ3inq\n"
    "opgPD7FtJSB1vpkKkCpjIMmtOrasYnbr3SnQCM5FeQKBgQDmtpR6norO14AgD4OJ\n"
    "P1xSelddyQvsKSQOlkDlaBg35X6gpfn9SSehgWjqP4LkiVPxYK65zVaJZqms2BiX\n"
    "1uOOH/uiGvNzwqWBR0E4aOOVFMksaN9LWHiXeEjdsGD5pPH7rhGzmonTDDNRE+am\n"
    "klRfxmnbUmmlWKAvIeqhGIKY3QKBgQDIiiWa9RbS3kQ6GbKG77mAMP9qmyJvJN5U\n"
    "Nu+/f+ahTJsCLMJiaLHsZ74PgcjfMkguaaMsEsPh75t5T6zYp88T1HOdR+s1S3Wq\n"
    "y1xwvHibzWLV5qQ5TGBGVMOJLVESrMdY5zcuAI95//BNLOyJikhnvQJr5Wwy3osh\n"
    "clHSb6ePuQKBgQC6N0oWwpqlItl+hycTAzogNDEKOLjPz9ETmQEeaOuLSkfvoKfr\n"
    "YT2EpTAqSkL69UD0xaWhwHQFiQCQywbmn4Kh93yiNgCkQcpWU034Guj+Ln3Fw4vf\n"
    "g7QqBeNCVBehyBmsm64b+jMeTm2pFlgHwHorp7lPVfCBjcwU3tpDVsYqXQKBgArr\n"
    "wwqCSGDpa8vCNH+2tGJvyKkUk7Z7yoPJjhreqz+jfVmL+HYFf5MBP0924OqOwXGN\n"
    "nS48Q2CdfNkJZr9RvCw3SKiLDxsS5fCMLJeTG/pYIAbIDa91IlUSLqfcyOp8cEq+\n"
    "JLojm6yoLHz3clY3KqRDncskblUC247Ru/T60aQ5AoGBALUdNLl+9ybyvM7EChos\n"
    "jcdAVvs1bvPxgqt5zQCoQxEr8JxGfHvcysuQZBqbdL5kPFSLLQ8HcKg5jImeBJSe\n"
    "b3TjIzXqSDJya50gO3mVXFZrqZsJHxZiA6aKk90Gh2yFEQZWWlAKIsIkm/dJZYdN\n"
    "ADH/JgEezQWgbO5ydJlPbNvQ\n"
    "-----END PRIVATE KEY-----\n";

static const char ec256_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIKF+vJmQHTR0GN2C/rZdU6NbpCE8570JQdxjw/eFDKTXoAoGCCqGSM49\n"
    "AwEHoUQDQgAEzKy3SnGe31CU61YWRuEWjMFPMozm2V6ocBeW7tBi4RKiLgfGbiC+\n"
    "G5DFvklSNIG2RxYq41tBwCfV+wb0uxDMrg==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char ec256_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgoX68mZAdNHQY3YL+\n"
    "tl1To1ukITznvQlB3GPD94UMpNehRANCAATMrLdKcZ7fUJTrVhZG4RaMwU8yjObZ\n"
    "XqhwF5bu0GLhEqIuB8ZuIL4bkMW+SVI0gbZHFirjW0HAJ9X7BvS7EMyu\n"
    "-----END PRIVATE KEY-----\n";

static const char ec384_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDANshh5kuxJPrBIf7F+1p+Cu43e1/u44YEyHDfNjVrE8JF4lB20p16M\n"
    "ihuaXtVRd3agBwYFK4EEACKhZANiAASzT0wyF9y0V9v3+/R7unW7AiA7YwxnSJoF\n"
    "hYUQdMgmRu1BP4g2bWHlm17BjvapUPjaVhjVhj98OFmQfagBo7ncONyJk2q3cm6N\n"
    "GiOGNq3WeGxloVbNnLJsqZErJfWyE9U=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char ec384_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDANshh5kuxJPrBIf7F+\n"
    "1p+Cu43e1/u44YEyHDfNjVrE8JF4lB20p16MihuaXtVRd3ahZANiAASzT0wyF9y0\n"
    "V9v3+/R7unW7AiA7YwxnSJoFhYUQdMgmRu1BP4g2bWHlm17BjvapUPjaVhjVhj98\n"
    "OFmQfagBo7ncONyJk2q3cm6NGiOGNq3WeGxloVbNnLJsqZErJfWyE9U=\n"
    "-----END PRIVATE KEY-----\n";

static const char ec256_no_public[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MDECAQEEIKF+vJmQHTR0GN2C/rZdU6NbpCE8570JQdxjw/eFDKTXoAoGCCqGSM49\n"
    "AwEH\n"
    "-----END EC PRIVATE KEY-----\n";

static const char p521_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIHcAgEBBEIA4Y7ri/+SCFPSRQzUkYLal8wGYHKvZGfo5bXG0zJG0wkjFbhPm6Pd\n"
    "1N0dHESWHSQ3ihM7EHEQkzqqW2fnShnnLR2gBwYFK4EEACOhgYkDgYYABAEDuS74\n"
    "4sDNY649tnfi6HYcYgT7la7IBw5ZPh8w6EDJp9WYfI5wYRMqSdmf4jhOCyQEQ6RI\n"
    "vnCUYQot8hYk1jN4UwCv480hFbk0lRATUM7Y1XLS6q0bWM4NSW8APbHrbDDXLTWT\n"
    "vlHBPElYyTReb2Tq4uQRPk6a6wk9tjsvp19Tt1vFSA==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char p521_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIA4Y7ri/+SCFPSRQzU\n"
    "kYLal8wGYHKvZGfo5bXG0zJG0wkjFbhPm6Pd1N0dHESWHSQ3ihM7EHEQkzqqW2fn\n"
    "ShnnLR2hgYkDgYYABAEDuS744sDNY649tnfi6HYcYgT7la7IBw5ZPh8w6EDJp9WY\n"
    "fI5wYRMqSdmf4jhOCyQEQ6RIvnCUYQot8hYk1jN4UwCv480hFbk0lRATUM7Y1XLS\n"
    "6q0bWM4NSW8APbHrbDDXLTWTvlHBPElYyTReb2Tq4uQRPk6a6wk9tjsvp19Tt1vF\n"
    "SA==\n"
    "-----END PRIVATE KEY-----\n";

static const char explicit_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIBeQIBADCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAAB\n"
    "AAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA\n"
    "///////////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMV\n"
    "AMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg\n"
    "9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8A\n"
    "AAAA//////////+85vqtpxeehPO5ysL8YyVRAgEBBG0wawIBAQQg5GsoDos4Th7p\n"
    "1O/+7R3B33881i1zVIZDFeFBxD4nhaKhRANCAARNalhAGJF3wt2pSWOFyc9laHxy\n"
    "wSlFndEi+gUzqvxkDROAEdyVvY6Blgfflklcm7M0Yn3/cibJz6rQKnLyo7RW\n"
    "-----END PRIVATE KEY-----\n";

static const char explicit_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIIBaAIBAQQg5GsoDos4Th7p1O/+7R3B33881i1zVIZDFeFBxD4nhaKggfowgfcC\n"
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"
    "YyVRAgEBoUQDQgAETWpYQBiRd8LdqUljhcnPZWh8csEpRZ3RIvoFM6r8ZA0TgBHc\n"
    "lb2OgZYH35ZJXJuzNGJ9/3Imyc+q0Cpy8qO0Vg==\n"
    "-----END EC PRIVATE KEY-----\n";

/* RFC 9773 Appendix A. */
static const char ari_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
    "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
    "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
    "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
    "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
    "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
    "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
    "-----END CERTIFICATE-----\n";

/* A copy that ends where its memory ends, so that an over-read is seen. */
static struct slice
flush(const void *p, size_t n, void **mem)
{
	struct slice s;

	*mem = malloc(n + 1);
	s.p = n ? memcpy((char *)*mem + 1, p, n) : (char *)*mem + 1;
	s.n = n;
	return s;
}

/* The DER of a PEM text, in static memory that the next call reuses. */
static char block[4096], name[64];

static struct slice
unpem(const char *pem)
{
	struct slice text = slice(pem), label, s;
	struct buf b;

	buf_init(&b, block, sizeof(block));
	if (pem_next(&text, &label, &b) != 1) {
		printf("Bail out! %s\n", pem);
		exit(1);
	}
	slice_copy(label, name, sizeof(name));
	s = buf_view(&b);
	return s;
}

/* Tries parse on each prefix and with one byte more: all must be rejected. */
static int
exact(struct slice der, int (*parse)(struct slice))
{
	size_t n;
	void *mem;
	int good = parse(flush(der.p, der.n, &mem)) == 0;

	free(mem);
	for (n = 0; n < der.n; n++) {
		good = good && parse(flush(der.p, n, &mem)) != 0;
		free(mem);
	}
	mem = malloc(der.n + 1);
	memcpy(mem, der.p, der.n);
	((char *)mem)[der.n] = 0;
	good = good && parse(bytes(mem, der.n + 1)) != 0;
	free(mem);
	return good;
}

static int
parse_cert(struct slice der)
{
	struct x509 c;

	return x509_read(der, &c);
}

static int
parse_csr(struct slice der)
{
	struct san san[8];
	struct pk pk;
	size_t n;

	return csr_read(der, &pk, san, 8, &n);
}

static int
parse_key(struct slice der)
{
	struct sk sk;

	return sk_read(slice(name), der, &sk);
}

static int
parse_spki(struct slice der)
{
	struct pk pk;

	return spki_read(der, &pk);
}

static int
equal(struct slice s, const void *p, size_t n)
{
	return s.n == n && memcmp(s.p, p, n) == 0;
}

static void
test_lengths(void)
{
	static const struct {
		size_t n, head;
		const char *bytes;
	} rows[] = {
		{ 0, 2, "\x04\x00" }, { 1, 2, "\x04\x01" }, { 127, 2, "\x04\x7f" },
		{ 128, 3, "\x04\x81\x80" }, { 255, 3, "\x04\x81\xff" },
		{ 256, 4, "\x04\x82\x01\x00" }, { 65535, 4, "\x04\x82\xff\xff" },
		{ 65536, 5, "\x04\x83\x01\x00\x00" }, { 70000, 5, "\x04\x83\x01\x11\x70" },
	};
	static char mem[70010], content[70000];
	size_t i, k;
	int good = 1, room = 1;

	for (i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 7);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);
		struct der d;

		der_bytes(&b, DER_OCTET_STRING, content, rows[i].n);
		good = good && !b.err && b.len == rows[i].head + rows[i].n &&
		    memcmp(mem, rows[i].bytes, rows[i].head) == 0;
		d = der_of(buf_view(&b));
		good = good && equal(der_take(&d, DER_OCTET_STRING), content, rows[i].n) && der_end(&d);
		for (k = b.len; k-- > (rows[i].n ? b.len - 3 : 0);) {
			struct buf small;

			buf_init(&small, mem, k);
			der_bytes(&small, DER_OCTET_STRING, content, rows[i].n);
			room = room && small.err;
		}
	}
	ok(good, "lengths are written minimal, and read back");
	ok(room, "an element that does not fit sets err");
}

static void
test_nesting(void)
{
	char mem[400];
	struct buf b = BUF(mem);
	struct der d, inner;
	size_t outer, m;
	int i;

	outer = der_open(&b, DER_SEQUENCE);
	for (i = 0; i < 30; i++) {
		m = der_open(&b, DER_SET);
		der_bytes(&b, DER_NULL, "", 0);
		der_oid(&b, oid_cn);
		der_close(&b, m);
	}
	der_close(&b, outer);
	d = der_of(buf_view(&b));
	inner = der_enter(&d, DER_SEQUENCE);
	for (i = 0; der_peek(&inner) == DER_SET; i++) {
		struct der set = der_enter(&inner, DER_SET);

		der_take(&set, DER_NULL);
		if (!oid_is(der_take(&set, DER_OID), oid_cn) || !der_end(&set))
			break;
	}
	ok(i == 30 && der_end(&inner) && der_end(&d), "nested elements are closed from the inside");
}

static void
test_uint_written(void)
{
	static const struct {
		const char *in, *out;
		size_t in_n, out_n;
	} rows[] = {
		{ "", "\x02\x01\x00", 0, 3 }, { "\0", "\x02\x01\x00", 1, 3 },
		{ "\0\0\0", "\x02\x01\x00", 3, 3 }, { "\x7f", "\x02\x01\x7f", 1, 3 },
		{ "\x80", "\x02\x02\x00\x80", 1, 4 }, { "\0\0\x80", "\x02\x02\x00\x80", 3, 4 },
		{ "\0\x01\x00", "\x02\x02\x01\x00", 3, 4 }, { "\xff\xff", "\x02\x03\x00\xff\xff", 2, 5 },
	};
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[16];
		struct buf b = BUF(mem);

		der_uint(&b, (const unsigned char *)rows[i].in, rows[i].in_n);
		good = good && equal(buf_view(&b), rows[i].out, rows[i].out_n);
	}
	ok(good, "unsigned integers are written minimal and positive");
}

static void
test_uint_read(void)
{
	static const struct {
		const char *in;
		size_t in_n;
		const char *out;	/* 0: rejected */
		size_t out_n;
	} rows[] = {
		{ "\x02\x01\x00", 3, "\0", 1 }, { "\x02\x01\x7f", 3, "\x7f", 1 },
		{ "\x02\x02\x00\x80", 4, "\x80", 1 }, { "\x02\x02\x01\x00", 4, "\x01\x00", 2 },
		{ "\x02\x00", 2, 0, 0 }, { "\x02\x01\x80", 3, 0, 0 }, { "\x02\x01\xff", 3, 0, 0 },
		{ "\x02\x02\x00\x7f", 4, 0, 0 }, { "\x02\x02\x00\x00", 4, 0, 0 },
		{ "\x02\x02\xff\x80", 4, 0, 0 }, { "\x04\x01\x01", 3, 0, 0 }, { "\x02\x02\x01", 3, 0, 0 },
	};
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		void *mem;
		struct der d = der_of(flush(rows[i].in, rows[i].in_n, &mem));
		struct slice s = der_take_uint(&d);

		good = good && (rows[i].out ? der_end(&d) && equal(s, rows[i].out, rows[i].out_n) :
		    d.err && s.n == 0);
		free(mem);
	}
	ok(good, "integers are read if minimal and not negative");
}

static void
test_strict(void)
{
	static const struct {
		const char *name, *in;
		size_t n;
	} rows[] = {
		{ "nothing", "", 0 },
		{ "a tag alone", "\x30", 1 },
		{ "indefinite length", "\x30\x80\x00\x00", 4 },
		{ "length of two bytes for one", "\x04\x81\x01\x00", 4 },
		{ "length with a leading zero", "\x04\x82\x00\x80\x00", 5 },
		{ "length cut", "\x04\x82\x01", 3 },
		{ "length of five bytes", "\x04\x85\x01\x00\x00\x00\x00\x00", 8 },
		{ "length of 127 bytes", "\x04\xff\x01\x00\x00\x00\x00\x00", 8 },
		{ "length near the top of 32 bits", "\x04\x84\xff\xff\xff\xff\x00", 7 },
		{ "content cut", "\x04\x02\x00", 3 },
		{ "a tag of several bytes", "\x1f\x81\x01\x00", 4 },
		{ "a context tag of several bytes", "\xbf\x1f\x00", 3 },
		{ "end-of-contents", "\x00\x00", 2 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[80] = "rejected: ";
		void *mem;
		struct slice s = flush(rows[i].in, rows[i].n, &mem);
		struct der a = der_of(s), b = der_of(s), c = der_of(s), in = der_enter(&c, -1);

		ok(der_take(&a, -1).n == 0 && a.err && der_element(&b, -1).n == 0 && b.err &&
		    c.err && in.err && in.p == in.end && !der_end(&in),
		    strncat(text, rows[i].name, 60));
		free(mem);
	}
}

static void
test_sticky(void)
{
	struct der d = der_of(bytes((const unsigned char *)"\x04\x00\x05\x00", 4)), in;

	der_take(&d, DER_NULL);
	ok(d.err && der_peek(&d) == -1 && !der_end(&d), "a wrong tag is an error");
	in = der_enter(&d, DER_OCTET_STRING);
	ok(in.err && d.err && der_take(&d, DER_OCTET_STRING).n == 0 &&
	    der_element(&d, -1).n == 0 && der_take_uint(&d).n == 0, "and errors stay");
	d = der_of(nothing);
	ok(der_end(&d) && der_peek(&d) == -1, "an empty slice is at its end");
	d.p = d.end = 0;
	d = der_of((struct slice){ 0, 0 });
	ok(der_end(&d) && d.p, "a null slice too");
}

static void
test_spki(void)
{
	static const char head[] = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
	static const struct {
		const char *name;
		size_t at;
		char byte;
	} rows[] = {
		{ "compressed point", 26, 2 }, { "infinity", 26, 0 }, { "unused bits", 25, 1 },
		{ "another curve", 22, 6 }, { "another algorithm", 12, 2 },
		{ "OCTET STRING for BIT STRING", 23, 4 }, { "SET for SEQUENCE", 2, 0x31 },
	};
	char key[91], mem[600];
	struct buf b = BUF(mem);
	struct pk pk, again;
	size_t i;

	memcpy(key, head, 27);
	for (i = 27; i < sizeof(key); i++)
		key[i] = (char)i;
	ok(spki_read(bytes((unsigned char *)key, 91), &pk) == 0 && pk.type == PK_P256 &&
	    equal(pk.a, key + 27, 32) && equal(pk.b, key + 59, 32), "P-256 public key");
	spki_write(&b, &pk);
	ok(equal(buf_view(&b), key, 91), "is written the same");
	ok(exact(buf_view(&b), parse_spki), "and nothing else in its place");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[80] = "public key rejected: ", old = key[rows[i].at];

		key[rows[i].at] = rows[i].byte;
		ok(spki_read(bytes((unsigned char *)key, 91), &again) == -1,
		    strncat(text, rows[i].name, 50));
		key[rows[i].at] = old;
	}
}

static void
test_rsa_spki(void)
{
	char mem[600];
	struct buf b = BUF(mem);
	struct sk sk;
	struct pk pk = { PK_RSA, { 0, 0 }, { 0, 0 } }, again;

	sk_read(slice("RSA PRIVATE KEY"), unpem(rsa_pkcs1), &sk);
	pk.a = sk.n;
	pk.b = sk.e;
	spki_write(&b, &pk);
	ok(b.len == 294 && spki_read(buf_view(&b), &again) == 0 && again.type == PK_RSA &&
	    equal(again.a, sk.n.p, sk.n.n) && equal(again.b, "\1\0\1", 3) && sk.n.n == 256,
	    "RSA public key, both ways");
	ok(exact(buf_view(&b), parse_spki), "and nothing else in its place");
	/* 30 82 .. .. 30 0d 06 09 oid[9] 05 00 03 82 .. .. 00 30 ... */
	mem[20] = 1;
	ok(spki_read(buf_view(&b), &again) == -1, "RSA with parameters is rejected");
}

static void
test_keys(void)
{
	static const struct {
		const char *name, *pem, *pkcs8;
		enum pk_type type;
	} rows[] = {
		{ "PKCS#1", rsa_pkcs1, rsa_pkcs8, PK_RSA },
		{ "PKCS#8 RSA", rsa_pkcs8, rsa_pkcs8, PK_RSA },
		{ "SEC 1 P-256", ec256_sec1, ec256_pkcs8, PK_P256 },
		{ "PKCS#8 P-256", ec256_pkcs8, ec256_pkcs8, PK_P256 },
		{ "SEC 1 P-384", ec384_sec1, ec384_pkcs8, PK_P384 },
		{ "PKCS#8 P-384", ec384_pkcs8, ec384_pkcs8, PK_P384 },
		{ "SEC 1 P-256 without point", ec256_no_public, 0, PK_P256 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[80], mem[2000];
		struct buf b = BUF(mem);
		struct slice der = unpem(rows[i].pem);
		struct sk sk;

		snprintf(text, sizeof(text), "%s is read", rows[i].name);
		ok(sk_read(slice(name), der, &sk) == 0 && sk.type == rows[i].type, text);
		sk_write(&b, &sk);
		snprintf(text, sizeof(text), "%s: no prefix and no extension is", rows[i].name);
		ok(exact(der, parse_key), text);
		if (!rows[i].pkcs8)
			continue;
		der = unpem(rows[i].pkcs8);
		snprintf(text, sizeof(text), "%s is written as openssl writes PKCS#8", rows[i].name);
		ok(!b.err && equal(der, mem, b.len), text);
	}
}

static void
test_other_keys(void)
{
	static const char *const rows[] = { p521_sec1, p521_pkcs8, explicit_sec1, explicit_pkcs8 };
	struct slice der;
	struct sk sk;
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		der = unpem(rows[i]);
		good = good && sk_read(slice(name), der, &sk) == -2;
	}
	ok(good, "other curves, and curves by parameters, are told apart from malformed keys");
	der = unpem(rsa_pkcs1);
	block[6] = 1;		/* 30 82 xx xx 02 01 00 */
	ok(sk_read(slice(name), der, &sk) == -2, "so are keys of several primes");
	block[6] = 2;
	ok(sk_read(slice(name), der, &sk) == -1, "but not unknown versions");
	ok(sk_read(slice("OPENSSH PRIVATE KEY"), der, &sk) == -3, "other labels are told apart");
	der = unpem(ec256_sec1);
	ok(sk_read(slice("PRIVATE KEY"), der, &sk) == -1 &&
	    sk_read(slice("RSA PRIVATE KEY"), der, &sk) == -1, "a label must fit its structure");
}

/* 30 LEN 02 01 01 04 20 x[32] a0 0a 06 08 curve[8] */
static void
test_sec1_details(void)
{
	static const struct {
		const char *name, *head;	/* what stands before the secret and its length */
		size_t secret;
		const char *tail;
		size_t tail_n;
		int want;
	} rows[] = {
		{ "no curve", "\x02\x01\x01", 32, "", 0, -1 },
		{ "a curve", "\x02\x01\x01", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, 0 },
		{ "secret too short", "\x02\x01\x01", 31, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, -1 },
		{ "secret too long", "\x02\x01\x01", 33, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, -1 },
		{ "version 0", "\x02\x01\x00", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 12, -1 },
		{ "P-384 with 32 bytes", "\x02\x01\x01", 32, "\xa0\x07\x06\x05\x2b\x81\x04\x00\x22", 9, -1 },
		{ "curve twice", "\x02\x01\x01", 32, "\xa0\x14\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 22, -1 },
		{ "empty curve", "\x02\x01\x01", 32, "\xa0\x00", 2, -1 },
		{ "empty point", "\x02\x01\x01", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		    "\xa1\x03\x03\x01\x00", 17, -1 },
		{ "something else behind", "\x02\x01\x01", 32, "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		    "\xa2\x00", 14, -1 },
	};
	static char mem[100], secret[33] = { 1 };
	size_t i, m;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);
		struct sk sk;

		m = der_open(&b, DER_SEQUENCE);
		buf_mem(&b, rows[i].head, 3);
		der_bytes(&b, DER_OCTET_STRING, secret, rows[i].secret);
		buf_mem(&b, rows[i].tail, rows[i].tail_n);
		der_close(&b, m);
		snprintf(block, sizeof(block), "SEC 1 with %s", rows[i].name);
		ok(sk_read(slice("EC PRIVATE KEY"), buf_view(&b), &sk) == rows[i].want, block);
	}
}

static void
test_pkcs8_details(void)
{
	static const struct {
		const char *name, *head, *tail;
		size_t tail_n;
		int want;
	} rows[] = {
		{ "attributes", "\x02\x01\x00", "\xa0\x02\x31\x00", 4, 0 },
		{ "version 1", "\x02\x01\x01", "", 0, -1 },
		{ "something else behind", "\x02\x01\x00", "\xa1\x00", 2, -1 },
	};
	static char mem[200], inner[200];
	struct slice der;
	size_t i, m, n;

	der = unpem(ec256_pkcs8);
	n = der.n - 6;
	memcpy(inner, der.p + 6, n);	/* behind 30 81 xx 02 01 00 */
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);
		struct sk sk;

		m = der_open(&b, DER_SEQUENCE);
		buf_mem(&b, rows[i].head, 3);
		buf_mem(&b, inner, n);
		buf_mem(&b, rows[i].tail, rows[i].tail_n);
		der_close(&b, m);
		snprintf(block, sizeof(block), "PKCS#8 with %s", rows[i].name);
		ok(sk_read(slice("PRIVATE KEY"), buf_view(&b), &sk) == rows[i].want, block);
	}
}

static void
test_ari(void)
{
	struct slice der = unpem(ari_pem);
	struct x509 c;
	struct pk pk;
	char mem[100];
	struct buf b = BUF(mem);

	ok(x509_read(der, &c) == 0, "RFC 9773 A: the certificate is read");
	ok(equal(c.aki, "\x69\x88\x5b\x6b\x87\x46\x40\x41\xe1\xb3\x7b\x84\x7b\xa0\xae\x2c\xde\x01\xc8\xd4", 20),
	    "its keyIdentifier");
	ok(equal(c.serial, "\x00\x87\x65\x43\x21", 5), "its serial, leading zero kept");
	base64url_encode(&b, c.aki.p, c.aki.n);
	buf_char(&b, '.');
	base64url_encode(&b, c.serial.p, c.serial.n);
	is_str(buf_text(&b), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", "its ARI identifier");
	ok(c.not_before == -62135596800 && c.not_after == c.not_before, "its dates in year 1");
	ok(slice_is(c.issuer_cn, "Example CA") && slice_is(c.subject_cn, "example.com"), "its names");
	ok(spki_read(c.spki, &pk) == 0 && pk.type == PK_P256, "its key");
	ok(c.san_ext.n == 0 && c.ski.n == 0 && !c.ca, "it has no other extension");
	ok(exact(der, parse_cert), "no prefix and no extension of it is read");
}

static void
test_cert(void)
{
	static const struct {
		int ip;
		const char *text;
		size_t n;
	} want[] = {
		{ 0, "example.com", 11 }, { 0, "*.example.com", 13 }, { 1, "\xc0\x00\x02\x01", 4 },
		{ 1, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 },
	};
	struct slice der = unpem(leaf_pem), rest;
	struct san san;
	struct x509 c;
	struct pk pk;
	size_t i;
	int good = 1;

	ok(x509_read(der, &c) == 0, "a certificate with everything is read");
	ok(equal(c.serial, "\x00\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66", 11), "serial");
	ok(slice_is(c.subject_cn, "example.com") && slice_is(c.issuer_cn, "Test CA"), "last common name");
	ok(c.not_before == 1795477360 && c.not_after == 1803253360, "UTCTime");
	ok(equal(c.ski, "\xb9\x83\x01\x57\xd4\x96\x87\xa1\xce\xd8\xd0\xa0\xb7\x72\x31\x19\x7c\x67\x24\xba", 20) &&
	    equal(c.aki, "\x38\x64\xf9\x76\x73\xd9\xd0\xfc\x18\xd7\xa9\x39\xa3\x4a\xb3\x76\x0d\xf1\x39\x50", 20),
	    "key identifiers, other parts skipped");
	ok(spki_read(c.spki, &pk) == 0 && pk.type == PK_P384 && !c.ca, "key; no CA");
	ok(equal(c.sig_alg, "\x2a\x86\x48\xce\x3d\x04\x03\x02", 8) && c.sig.n > 60 && c.sig.p[0] == 0x30,
	    "signature");
	ok(c.tbs.p == der.p + 4 && c.tbs.p[0] == 0x30, "what is signed");
	rest = c.san_ext;
	for (i = 0; i < 4; i++)
		good = good && x509_san(&rest, &san) == 1 && san.ip == want[i].ip &&
		    equal(san.s, want[i].text, want[i].n);
	ok(good && x509_san(&rest, &san) == 0, "DNS names and addresses in their order, others skipped");
	ok(exact(der, parse_cert), "no prefix and no extension of it is read");
	ok(x509_read(unpem(ca_pem), &c) == 0 && c.ca && c.not_after == 3523477336,
	    "a CA with GeneralizedTime");
	ok(equal(c.issuer, c.subject.p, c.subject.n) && c.subject.p[0] == 0x30, "issuer and subject");
}

/* A certificate of parts, each one replaceable. */
enum part { VERSION, SERIAL, ALG, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS, OUTER, SIG, PARTS };
struct raw { const char *p; size_t n; };
#define RAW(text) { text, sizeof(text) - 1 }
#define NAME "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x41"
#define DATES "\x30\x1e\x17\x0d" "260101000000Z" "\x17\x0d" "260401000000Z"
#define ECDSA "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"

static const struct raw plain[PARTS] = {
	[VERSION] = RAW("\xa0\x03\x02\x01\x02"),
	[SERIAL] = RAW("\x02\x01\x05"),
	[ALG] = RAW(ECDSA),
	[ISSUER] = RAW(NAME),
	[VALIDITY] = RAW(DATES),
	[SUBJECT] = RAW(NAME),
	[KEY] = RAW("\x30\x02\x05\x00"),
	[EXTENSIONS] = RAW(""),
	[OUTER] = RAW(ECDSA),
	[SIG] = RAW("\x03\x02\x00\x55"),
};

static int
build(struct x509 *c, enum part part, struct raw replacement)
{
	struct buf b = BUF(block);
	size_t cert = der_open(&b, DER_SEQUENCE), tbs = der_open(&b, DER_SEQUENCE);
	int i;

	for (i = 0; i < PARTS; i++) {
		struct raw r = i == (int)part ? replacement : plain[i];

		buf_mem(&b, r.p, r.n);
		if (i == EXTENSIONS)
			der_close(&b, tbs);
	}
	der_close(&b, cert);
	return b.err ? -2 : x509_read(buf_view(&b), c);
}

static void
test_parts(void)
{
	static const struct {
		const char *name;
		enum part part;
		struct raw raw;
		int want;
	} rows[] = {
		{ "nothing special", PARTS, RAW(""), 0 },
		{ "version 1, left out", VERSION, RAW(""), 0 },
		{ "version 4", VERSION, RAW("\xa0\x03\x02\x01\x03"), -1 },
		{ "version without integer", VERSION, RAW("\xa0\x00"), -1 },
		{ "serial zero", SERIAL, RAW("\x02\x01\x00"), 0 },
		{ "serial negative", SERIAL, RAW("\x02\x01\x80"), 0 },
		{ "serial empty", SERIAL, RAW("\x02\x00"), -1 },
		{ "serial not minimal", SERIAL, RAW("\x02\x02\x00\x01"), -1 },
		{ "serial of 21 bytes", SERIAL, RAW("\x02\x15\x01" "aaaaaaaaaaaaaaaaaaaa"), 0 },
		{ "two signature algorithms", OUTER, RAW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), -1 },
		{ "a signature of bits", SIG, RAW("\x03\x02\x01\x54"), -1 },
		{ "no signature", SIG, RAW(""), -1 },
		{ "something behind it", SIG, RAW("\x03\x02\x00\x55\x05\x00"), -1 },
		{ "an empty subject", SUBJECT, RAW("\x30\x00"), 0 },
		{ "an empty RDN", SUBJECT, RAW("\x30\x02\x31\x00"), -1 },
		{ "a name that is no name", SUBJECT, RAW("\x30\x02\x05\x00"), -1 },
		{ "unique identifiers", EXTENSIONS, RAW("\x81\x02\x00\x01\x82\x02\x00\x01"), 0 },
		{ "an unknown field", EXTENSIONS, RAW("\xa4\x00"), -1 },
		{ "no extension in the list", EXTENSIONS, RAW("\xa3\x02\x30\x00"), 0 },
		{ "an unknown extension", EXTENSIONS, RAW("\xa3\x0b\x30\x09\x30\x07\x06\x01\x29\x04\x02\x05\x00"), 0 },
		{ "basicConstraints empty", EXTENSIONS,
		    RAW("\xa3\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"), 0 },
		{ "basicConstraints cA TRUE", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff"), 1 },
		{ "basicConstraints cA FALSE written out", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x00"), 0 },
		{ "basicConstraints cA 1", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\x01"), -1 },
		{ "basicConstraints twice", EXTENSIONS, RAW("\xa3\x18\x30\x16"
		    "\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"), -1 },
		{ "a critical extension", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00"), 0 },
		{ "an extension without value", EXTENSIONS,
		    RAW("\xa3\x0b\x30\x09\x30\x07\x06\x03\x55\x1d\x13\x04\x00"), -1 },
		{ "an extension of garbage", EXTENSIONS,
		    RAW("\xa3\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x01"), -1 },
		{ "an address of 5 bytes", EXTENSIONS, RAW("\xa3\x14\x30\x12\x30\x10\x06\x03\x55\x1d\x11"
		    "\x04\x09\x30\x07\x87\x05\x01\x02\x03\x04\x05"), -1 },
		{ "a name of no known kind", EXTENSIONS, RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x11"
		    "\x04\x05\x30\x03\x42\x01\x41"), -1 },
		{ "an AKI without keyIdentifier", EXTENSIONS,
		    RAW("\xa3\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x23\x04\x05\x30\x03\x82\x01\x05"), 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[100];
		struct x509 c;
		int got = build(&c, rows[i].part, rows[i].raw);

		snprintf(text, sizeof(text), "certificate with %s", rows[i].name);
		ok(got == (rows[i].want < 0 ? -1 : 0) && (got || c.ca == rows[i].want), text);
	}
}

static void
test_nul(void)
{
	static const struct raw extension = RAW("\xa3\x1e\x30\x1c\x30\x1a\x06\x03\x55\x1d\x11\x04\x13"
	    "\x30\x11\x82\x0f" "a.example\0.test");
	struct san san;
	struct x509 c;

	ok(build(&c, EXTENSIONS, extension) == 0 && x509_san(&c.san_ext, &san) == 1 &&
	    equal(san.s, "a.example\0.test", 15), "a NUL in a name stays in it");
}

static void
test_times(void)
{
	static const struct {
		const char *text;	/* 13: UTCTime, 15: GeneralizedTime */
		int good;
		int64_t t;
	} rows[] = {
		{ "700101000000Z", 1, 0 }, { "500101000000Z", 1, -631152000 },
		{ "491231235959Z", 1, 2524607999 }, { "000229120000Z", 1, 951825600 },
		{ "20500101000000Z", 1, 2524608000 }, { "19700101000000Z", 1, 0 },
		{ "00010101000000Z", 1, -62135596800 }, { "99991231235959Z", 1, 253402300799 },
		{ "20240229000000Z", 1, 1709164800 }, { "24000229000000Z", 1, 13574563200 },
		{ "20560701123456Z", 1, 2729680496 },
		{ "00000101000000Z", 0, 0 }, { "20230229000000Z", 0, 0 }, { "21000229000000Z", 0, 0 },
		{ "20240431000000Z", 0, 0 }, { "20241301000000Z", 0, 0 }, { "20240001000000Z", 0, 0 },
		{ "20240100000000Z", 0, 0 }, { "20240101240000Z", 0, 0 }, { "20240101006000Z", 0, 0 },
		{ "20240101000060Z", 0, 0 }, { "20240101000000z", 0, 0 }, { "2024010100000 Z", 0, 0 },
		{ "240101000000+", 0, 0 }, { "2401010000+00", 0, 0 }, { "24010100000-Z", 0, 0 },
		{ "20240101000000", 0, 0 }, { "202401010000Z", 0, 0 }, { "2401010000Z", 0, 0 },
		{ "20240101000000.5Z", 0, 0 }, { "240101000000+0000", 0, 0 }, { "", 0, 0 }, { "Z", 0, 0 },
	};
	static char text[100], mem[64];
	struct x509 c;
	size_t i, m;
	int tag, got;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(mem);

		tag = strlen(rows[i].text) == 13 ? DER_UTCTIME : DER_GENERALIZEDTIME;
		m = der_open(&b, DER_SEQUENCE);
		der_bytes(&b, tag, rows[i].text, strlen(rows[i].text));
		der_bytes(&b, DER_UTCTIME, "260101000000Z", 13);
		der_close(&b, m);
		got = build(&c, VALIDITY, (struct raw){ mem, b.len });
		snprintf(text, sizeof(text), "time %s is %s", rows[i].text, rows[i].good ? "read" : "rejected");
		ok(got == rows[i].good - 1 && (got || c.not_before == rows[i].t), text);
	}
}

static void
test_times_written(void)
{
	static const struct {
		int64_t t;
		const char *want;	/* 0: cannot be written */
	} rows[] = {
		{ 0, "\x17\x0d" "700101000000Z" }, { 2524607999, "\x17\x0d" "491231235959Z" },
		{ 2524608000, "\x18\x0f" "20500101000000Z" }, { -631152000, "\x17\x0d" "500101000000Z" },
		{ -631152001, "\x18\x0f" "19491231235959Z" }, { 951825599, "\x17\x0d" "000229115959Z" },
		{ -62135596800, "\x18\x0f" "00010101000000Z" }, { 253402300799, "\x18\x0f" "99991231235959Z" },
		{ -62135596801, 0 }, { 253402300800, 0 },
		{ INT64_MAX, 0 }, { INT64_MIN, 0 }, { 1795477360, "\x17\x0d" "261123234240Z" },
	};
	size_t i;
	int64_t t, back;
	int good = 1;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[32];
		struct buf b = BUF(mem);

		write_time(&b, rows[i].t);
		good = good && (rows[i].want ? slice_is(buf_view(&b), rows[i].want) : b.err);
	}
	ok(good, "times are written as UTCTime up to 2049, then as GeneralizedTime");
	for (t = -62135596800; good && t <= 253402300799; t += 86400 * 173 + 12347) {
		char mem[32];
		struct buf b = BUF(mem);
		struct der d;

		write_time(&b, t);
		d = der_of(buf_view(&b));
		read_time(&d, &back);
		good = der_end(&d) && back == t;
	}
	ok(good, "and read back as what they were, through all years");
}

/* The signature of tests: a marker, then how many bytes were to be signed. */
static int
fake_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	*(struct slice *)ctx = bytes(p, n);
	buf_str(sig, "SIGNED");
	return 0;
}

static int
no_sign(void *ctx, const void *p, size_t n, struct buf *sig)
{
	(void)ctx, (void)p, (void)n, (void)sig;
	return -1;
}

static const char x256[] = "abcdefghijklmnopqrstuvwxyz012345", y256[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
static const struct pk p256 = { PK_P256, { x256, 32 }, { y256, 32 } };
static const struct san names[] = {
	{ 0, { "example.com", 11 } }, { 0, { "*.example.com", 13 } }, { 1, { "\xc0\x00\x02\x01", 4 } },
};

static void
test_csr_written(void)
{
	/* As RFC 2986 4 lays it out, by hand. */
	static const char info[] =
	    "\x30\x81\xa0\x02\x01\x00\x30\x00"
	    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
	    "\x03\x42\x00\x04" "abcdefghijklmnopqrstuvwxyz012345ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	    "\xa0\x3e\x30\x3c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x2f\x30\x2d"
	    "\x30\x2b\x06\x03\x55\x1d\x11\x04\x24\x30\x22"
	    "\x82\x0b" "example.com" "\x82\x0d" "*.example.com" "\x87\x04\xc0\x00\x02\x01";
	static const char tail[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x07\x00SIGNED";
	size_t info_n = sizeof(info) - 1, tail_n = sizeof(tail) - 1, n, i;
	char mem[400];
	struct buf b = BUF(mem);
	struct slice tbs;
	struct san san[3];
	struct pk pk;
	int good = 1;

	ok(csr_write(&b, &p256, names, 3, fake_sign, &tbs) == 0, "a request is written");
	ok(b.len == 3 + info_n + tail_n && memcmp(mem, "\x30\x81\xb8", 3) == 0 &&
	    memcmp(mem + 3, info, info_n) == 0 && memcmp(mem + 3 + info_n, tail, tail_n) == 0,
	    "as RFC 2986 has it, with an empty subject");
	ok(tbs.n == info_n, "what is signed is its information");
	ok(csr_read(buf_view(&b), &pk, san, 3, &n) == 0 && n == 3 && pk.type == PK_P256, "it is read");
	for (i = 0; i < 3; i++)
		good = good && san[i].ip == names[i].ip && equal(san[i].s, names[i].s.p, names[i].s.n);
	ok(good && equal(pk.a, x256, 32) && equal(pk.b, y256, 32), "with its names and its key");
	ok(csr_read(buf_view(&b), &pk, san, 2, &n) == -1, "more names than there is room for");
	ok(exact(buf_view(&b), parse_csr), "no prefix and no extension of it is read");
}

static void
test_csr_refused(void)
{
	static const struct san bad[] = {
		{ 0, { "", 0 } }, { 0, { "b\xc3\xbc", 3 } }, { 1, { "\1\2\3", 3 } }, { 1, { "", 0 } },
	};
	static char mem[400];
	struct slice tbs;
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct buf b = BUF(mem);

		good = good && csr_write(&b, &p256, &bad[i], 1, fake_sign, &tbs) == -1 && b.err;
	}
	ok(good, "names that cannot stand in a request are refused");
	for (i = 0; i < 187; i++) {
		struct buf b;

		buf_init(&b, mem, i);
		good = good && csr_write(&b, &p256, names, 3, fake_sign, &tbs) == -1 && b.err;
	}
	ok(good, "so is too little room");
	{
		struct buf b = BUF(mem), c = BUF(mem);

		ok(csr_write(&b, &p256, names, 0, fake_sign, &tbs) == -1, "and a request for no name");
		ok(csr_write(&c, &p256, names, 3, no_sign, 0) == -1 && c.err, "and one that cannot be signed");
	}
}

static void
test_csr_foreign(void)
{
	static const struct {
		const char *name, *pem, *names;		/* joined by spaces, addresses as # */
		enum pk_type type;
	} rows[] = {
		{ "only a common name", csr_cn, "only.example", PK_P384 },
		{ "a common name that is also an alternative one", csr_same, "a.example b.example #", PK_P384 },
		{ "another common name", csr_other, "a.example c.example", PK_P384 },
		{ "a challenge password", csr_attribute, "#", PK_P384 },
		{ "a key of another curve", csr_p521, "p521.example", PK_NONE },
		{ "an RSA key and no subject", csr_rsa, "r.example", PK_RSA },
	};
	size_t i, k, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[100], mem[200];
		struct buf b = BUF(mem);
		struct slice der = unpem(rows[i].pem);
		struct san san[8];
		struct pk pk;
		int r = csr_read(der, &pk, san, 8, &n);

		for (k = 0; r == 0 && k < n; k++) {
			if (k)
				buf_char(&b, ' ');
			if (san[k].ip)
				buf_char(&b, '#');
			else
				buf_slice(&b, san[k].s);
		}
		snprintf(text, sizeof(text), "foreign request with %s", rows[i].name);
		ok(r == 0 && pk.type == rows[i].type, text);
		is_str(buf_text(&b), rows[i].names, "its names");
		ok(exact(der, parse_csr), "no prefix and no extension of it is read");
		ok(csr_read(der, &pk, san, n - 1, &n) == -1, "nor with less room for names");
	}
}

static void
test_csr_parts(void)
{
	static const struct {
		const char *name;
		struct raw attributes;
		int want;
	} rows[] = {
		{ "no attributes field", RAW(""), 0 },
		{ "no attributes", RAW("\xa0\x00"), 0 },
		{ "a foreign attribute", RAW("\xa0\x07\x30\x05\x06\x01\x29\x31\x00"), 0 },
		{ "an attribute that is no SET", RAW("\xa0\x07\x30\x05\x06\x01\x29\x30\x00"), -1 },
		{ "an empty extension request", RAW("\xa0\x0f\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x00"), -1 },
		{ "no extensions", RAW("\xa0\x11\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"), 0 },
		{ "two extension requests", RAW("\xa0\x22"
		    "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"
		    "\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00"), -1 },
		{ "two values", RAW("\xa0\x13\x30\x11\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x04\x30\x00\x30\x00"), -1 },
		{ "attributes under another tag", RAW("\xa1\x00"), -1 },
	};
	size_t i, csr, info, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf b = BUF(block);
		struct san san[2];
		struct pk pk;
		char text[80];

		csr = der_open(&b, DER_SEQUENCE);
		info = der_open(&b, DER_SEQUENCE);
		der_small(&b, 0);
		buf_mem(&b, NAME, sizeof(NAME) - 1);
		spki_write(&b, &p256);
		buf_mem(&b, rows[i].attributes.p, rows[i].attributes.n);
		der_close(&b, info);
		buf_mem(&b, ECDSA "\x03\x02\x00\x55", sizeof(ECDSA) + 3);
		der_close(&b, csr);
		snprintf(text, sizeof(text), "request with %s", rows[i].name);
		ok(csr_read(buf_view(&b), &pk, san, 2, &n) == rows[i].want && (rows[i].want || n == 1), text);
	}
}

static void
test_alpn(void)
{
	/* RFC 8737 3, digest of protocol's example key authorization. */
	static const unsigned char digest[32] =
	    "\x94\x23\x3b\x71\x9c\x90\x5d\xc5\x47\x2b\x69\xe7\x5b\x78\xe3\x02"
	    "\x13\x53\xdc\x5b\xe6\xd7\xc5\x0d\xfa\x45\x99\x66\x49\xca\xa1\x83";
	static const char extensions[] = "\xa3\x51\x30\x4f"
	    "\x30\x1a\x06\x03\x55\x1d\x11\x04\x13\x30\x11\x82\x0f" "www.example.com"
	    "\x30\x31\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff\x04\x22\x04\x20"
	    "\x94\x23\x3b\x71\x9c\x90\x5d\xc5\x47\x2b\x69\xe7\x5b\x78\xe3\x02"
	    "\x13\x53\xdc\x5b\xe6\xd7\xc5\x0d\xfa\x45\x99\x66\x49\xca\xa1\x83";
	static const struct san host = { 0, { "www.example.com", 15 } };
	static const struct san v6 = { 1, { "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16 } };
	size_t n = sizeof(extensions) - 1, i;
	char mem[600];
	struct buf b = BUF(mem), a = BUF(mem), small;
	struct slice tbs, rest;
	struct san san;
	struct x509 c;
	int good = 1;

	ok(alpn_cert_write(&b, &p256, &host, digest, 1795477360, 2524608000, fake_sign, &tbs) == 0 &&
	    x509_read(buf_view(&b), &c) == 0, "a tls-alpn-01 certificate is written");
	ok(tbs.n == c.tbs.n && memcmp(c.tbs.p + c.tbs.n - n, extensions, n) == 0,
	    "with a SAN and the critical acmeIdentifier, and no other extension");
	ok(memcmp(c.tbs.p + 4, "\xa0\x03\x02\x01\x02\x02\x10", 7) == 0, "version 3");
	ok(c.serial.n == 16 && (c.serial.p[0] & 0xc0) == 0x40, "a positive serial of 16 bytes");
	ok(c.issuer.n == c.subject.n && memcmp(c.issuer.p, c.subject.p, c.issuer.n) == 0, "issuer is subject");
	ok(c.not_before == 1795477360 && c.not_after == 2524608000, "dates of both kinds");
	ok(!c.ca && c.sig.n == 6, "no CA, signed by the callback");
	ok(exact(buf_view(&b), parse_cert), "no prefix and no extension of it is read");
	for (i = 0; i < b.len; i++) {
		buf_init(&small, block, i);
		good = good && alpn_cert_write(&small, &p256, &host, digest, 1795477360, 2524608000,
		    fake_sign, &tbs) == -1;
	}
	ok(good, "too little room is refused");
	ok(alpn_cert_write(&a, &p256, &v6, digest, 0, 1, fake_sign, &tbs) == 0 &&
	    x509_read(buf_view(&a), &c) == 0, "one for an address");
	rest = c.san_ext;
	ok(x509_san(&rest, &san) == 1 && san.ip && equal(san.s, v6.s.p, 16) && x509_san(&rest, &san) == 0,
	    "has it as iPAddress");
}

static void
test_algorithms(void)
{
	static const char n256[256] = "\xff", x384[48] = "\1";
	static const struct {
		const char *name;
		struct pk pk;
		struct raw alg;
	} rows[] = {
		{ "RSA", { PK_RSA, { n256, 256 }, { "\1\0\1", 3 } },
		    RAW("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00") },
		{ "P-256", { PK_P256, { x384, 32 }, { x384, 32 } }, RAW(ECDSA) },
		{ "P-384", { PK_P384, { x384, 48 }, { x384, 48 } },
		    RAW("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03") },
	};
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char mem[1000], text[80];
		struct buf b = BUF(mem);
		struct slice tbs;
		struct san san[3];
		struct pk pk;

		snprintf(text, sizeof(text), "request by %s: signature algorithm and key", rows[i].name);
		ok(csr_write(&b, &rows[i].pk, names, 3, fake_sign, &tbs) == 0 &&
		    memcmp(mem + b.len - 9 - rows[i].alg.n, rows[i].alg.p, rows[i].alg.n) == 0 &&
		    csr_read(buf_view(&b), &pk, san, 3, &n) == 0 && pk.type == rows[i].pk.type &&
		    equal(pk.a, rows[i].pk.a.p, rows[i].pk.a.n) && exact(buf_view(&b), parse_csr), text);
	}
}

int
main(void)
{
	test_lengths();
	test_nesting();
	test_uint_written();
	test_uint_read();
	test_strict();
	test_sticky();
	test_spki();
	test_rsa_spki();
	test_keys();
	test_other_keys();
	test_sec1_details();
	test_pkcs8_details();
	test_ari();
	test_cert();
	test_parts();
	test_nul();
	test_times();
	test_times_written();
	test_csr_written();
	test_csr_refused();
	test_csr_foreign();
	test_csr_parts();
	test_alpn();
	test_algorithms();
	return tap_done();
}
