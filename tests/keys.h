/*
 * keys.h - for unit tests: private keys as openssl 3.0 writes them.  They guard
 * nothing.
 */
#ifndef KEYS_TEST_H
#define KEYS_TEST_H

static const char rsa2048_pkcs1[] =
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

static const char rsa2048_pkcs8[] =
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

static const char ec256_no_public[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MDECAQEEIKF+vJmQHTR0GN2C/rZdU6NbpCE8570JQdxjw/eFDKTXoAoGCCqGSM49\n"
    "AwEH\n"
    "-----END EC PRIVATE KEY-----\n";

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

static const char p521_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIA4Y7ri/+SCFPSRQzU\n"
    "kYLal8wGYHKvZGfo5bXG0zJG0wkjFbhPm6Pd1N0dHESWHSQ3ihM7EHEQkzqqW2fn\n"
    "ShnnLR2hgYkDgYYABAEDuS744sDNY649tnfi6HYcYgT7la7IBw5ZPh8w6EDJp9WY\n"
    "fI5wYRMqSdmf4jhOCyQEQ6RIvnCUYQot8hYk1jN4UwCv480hFbk0lRATUM7Y1XLS\n"
    "6q0bWM4NSW8APbHrbDDXLTWTvlHBPElYyTReb2Tq4uQRPk6a6wk9tjsvp19Tt1vF\n"
    "SA==\n"
    "-----END PRIVATE KEY-----\n";

#endif
