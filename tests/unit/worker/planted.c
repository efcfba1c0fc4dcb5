/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_tests.h"

/* Cut in two where a scanner of repositories would take the value for a real one. */
const struct planted planted[] = {
    {"--password=Tr0ub4dor&3 with words", "Tr0ub4dor"},
    {"--password=a;semicolon-secret", "semicolon-secret"},
    {"--db-passwd", NULL},
    {"correcthorsebattery", "correcthorsebattery"},
    {"--Password", NULL},
    {"-S3cretWithADash", "S3cretWithADash"},
    {"-p", NULL},
    {"swordfish", "swordfish"},
    {"--token=c2VjcmV0LXRva2VuLXZhbHVl", "c2VjcmV0LXRva2Vu"},
    {"--api-key", NULL},
    {"9f8e7d6c5b4a39281706", "9f8e7d6c5b4a3928"},
    {"--clientSecret=kZx81hQmP0", "kZx81hQmP0"},
    {"-Djavax.net.ssl.keyStorePassword=changeit99", "changeit99"},
    {"PGPASSWORD=hunter2hunter2", "hunter2hunter2"},
    {"MYSQL_PWD=plainwordsecret", "plainwordsecret"},
    {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "wJalrXUtnFEMI"},
    {"https://alice:wonderland77@db.example.org/x?y=1", "wonderland77"},
    {"postgresql://svc:p/ss@w0rdPg@127.0.0.1/db", "w0rdPg"},
    {"https://0123456789abcdef0123@git.example.org/o/r", "0123456789abcdef0123"},
    {"http://host/api?user=x&access_token=qwertyuiop12&z=1", "qwertyuiop12"},
    {"ghp_"
     "a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5f6G7h8",
     "a1B2c3D4e5a1B2c3D4e5"},
    {"github_pat_"
     "11ABCDEFG0_11ABCDEFG011ABCDEFG0",
     "11ABCDEFG011"},
    {"x=glpat-"
     "xYz12345678901234567",
     "xYz1234567890"},
    {"xoxb-"
     "123456789012-abcdefABCDEF12345678",
     "abcdefABCDEF12345678"},
    {"id AKIA"
     "IOSFODNN7EXAMPLE",
     "IOSFODNN7EXAMPLE"},
    {"sk-"
     "proj1234567890abcdefABCDEF1234567890",
     "proj1234567890"},
    {"AIza"
     "SyA1234567890abcdefghijklmnopqrstu",
     "SyA1234567890"},
    {"npm_"
     "0123456789abcdefghijABCDEFGHIJ012345",
     "0123456789abcdefghij"},
    {"eyJhbGciOiJIUzI1NiJ9."
     "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
     "dozjgNryP4J3jVmNHl0w5N"},
    {"Authorization: Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"},
    {"--header=Authorization: Basic YWxpY2U6b3BlbnNlc2FtZQ==", "YWxpY2U6b3Bl"},
    {"X-Auth-Token: 5up3rS3cr3tHeader", "5up3rS3cr3tHeader"},
    {"{\"user\": \"a\", \"password\": \"json pass 1\", \"n\": 1}", "json pass 1"},
    {"password: yamlsecret77", "yamlsecret77"},
    {"token 5f4dcc3b5aa765d61d8327deb882cf99", "5f4dcc3b5aa765d6"},
    {"AccountName=x;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==",
     "Eby8vdM02xNOcq"},
    {"hooks.slack.com/services/T00000000/B00000000/XXXXyyyyZZZZ0000", "XXXXyyyyZZZZ0000"},
    {"123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawQ", "AAHdqTcvCH1vGWJx"},
    {"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----",
     "MIIEvQIBADANBgkqhkiG9w0B"},
    {"-----BEGIN RSA PRIVATE KEY-----\nMIIEcutoffbeforeitsend", "MIIEcutoff"},
    {"carol.smith@corp.example.com", "carol.smith"},
    {"<mallory+spam@example.org>", "mallory+spam"},
    {"/home/mallory/data/in.csv", "mallory"},
    {"--input=/var/home/trudy/in.csv", "trudy"},
};
const size_t n_planted = sizeof(planted) / sizeof(planted[0]);

const struct planted planted_variables[] = {
    {"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGenv", "wJalrXUtnFEMIK7MDENGenv"},
    {"DATABASE_URL=mysql://root:toor4242@db/prod", "toor4242"},
    {"MY_PRIVATE_NOTE=the-launch-is-on-friday", "the-launch-is-on-friday"},
    {"A_NAME_THAT_TELLS_TOO_MUCH=1", "A_NAME_THAT_TELLS_TOO_MUCH"},
    {"LD_LIBRARY_PATH=/home/mallory2/lib:/opt/lib", "mallory2"},
    {"PYTHONPATH=/srv/app:https://bob:builder99@pypi.example/simple", "builder99"},
    {"PYTHON_API_TOKEN=opaquevalue", "opaquevalue"},
    {"JAVA_TOOL_OPTIONS=-Xmx1g -Dpassword=in,options -Dx=y", "in,options"},
};
const size_t n_planted_variables = sizeof(planted_variables) / sizeof(planted_variables[0]);
