package interop

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// chatServers turn to TLS for people who talk or read news, and for those who work on a desktop far away.
var chatServers = []clearServer{
	{name: "InspIRCd", program: "inspircd", pkg: "inspircd",
		files: map[string]string{"inspircd.conf": `<config format="xml">
<server name="irc.localhost" description="test" network="Test">
<admin name="a" nick="a" email="a@example.test">
<bind address="127.0.0.1" port="{PORT}" type="clients">
<connect allow="*" timeout="60" resolvehostnames="no" useident="no">
<module name="ssl_gnutls">
<module name="starttls">
<sslprofile name="default" provider="gnutls" certfile="{CERT}" keyfile="{KEY}">
<starttls sslprofile="default">
<path configdir="{DIR}" datadir="{DIR}" logdir="{DIR}" runtimedir="{DIR}">
<pid file="{DIR}/pid">
`},
		run:   []string{"inspircd", "--runasroot", "--nofork", "--config", "{DIR}/inspircd.conf"},
		turns: []clearTurn{{"irc", "NICK me\r\nUSER me 0 * :me\r\n", " 001 me "}}},
	{name: "xrdp", program: "xrdp", pkg: "xrdp",
		files: map[string]string{"xrdp.ini": `[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:{PORT}
security_layer=tls
certificate={CERT}
key_file={KEY}
ssl_protocols=TLSv1.2, TLSv1.3
[Logging]
LogFile={DIR}/log
EnableSyslog=false
[Channels]
`},
		run: []string{"xrdp", "-n", "-c", "{DIR}/xrdp.ini"},
		// a Connect-Initial of MCS (T.125) without its parameters, and the answer: Disconnect
		// Provider Ultimatum
		turns: []clearTurn{{"rdp", "\x03\x00\x00\x18\x02\xf0\x80\x7f\x65\x82\x00\x0c\x04\x01\x01\x04\x01\x01\x01\x01\xff\x30\x00\x00", "\x03\x00\x00\x09\x02\xf0\x80\x21\x80"}}},
	{name: "INN", program: nnrpd, pkg: "inn2",
		files: map[string]string{"inn.conf": `domain: localhost.test
fqdn: news.localhost.test
pathhost: news.localhost.test
mta: "/bin/true"
hismethod: hisv6
ovmethod: tradindexed
pathnews: {DIR}
pathetc: {DIR}
pathdb: {DIR}
pathrun: {DIR}
pathlog: {DIR}
pathtmp: {DIR}
pathspool: {DIR}
tlscertfile: {CERT}
tlskeyfile: {KEY}
# it serves however busy the machine is, and without innd
nnrpdloadlimit: 0
readerswhenstopped: true
`,
			"readers.conf": `auth "all" {
	hosts: "*"
	default: "somebody"
}
access "all" {
	users: "somebody"
	newsgroups: "*"
	access: R
}
`,
			"storage.conf": "method tradspool {\n\tclass: 0\n\tnewsgroups: *\n}\n",
			"active":       "local.test 0000000000 0000000001 y\n", "history": "", "passwd.nntp": "",
		},
		// an index of the history, and of the articles of all groups
		before: [][]string{{"sh", "-c", "mkdir {DIR}/overview && chown -R news {DIR} && INNCONF={DIR}/inn.conf && export INNCONF && " +
			"runuser -u news -- /usr/lib/news/bin/makedbz -i -o -s 1000 -f {DIR}/history && runuser -u news -- /usr/lib/news/bin/overchan </dev/null"}},
		run:   []string{"env", "INNCONF={DIR}/inn.conf", nnrpd, "-f", "-D", "-n", "-b", "127.0.0.1", "-p", "{PORT}"},
		turns: []clearTurn{{"nntp", "LIST ACTIVE\r\n", "local.test 0000000000"}}},
}

// nnrpd is INN's server for readers.
const nnrpd = "/usr/lib/news/bin/nnrpd"

// Real servers of IRC, of news and of remote desktops turn to TLS when package starttls asks them.
func TestStartTLSOfChatsAndDesktops(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	for _, s := range chatServers {
		t.Run(s.name, func(t *testing.T) {
			programs.Need(t, s.program, s.pkg)
			if os.Getuid() != 0 {
				t.Skip("such servers are started by root")
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ports, p := s.start(ctx, t, material)
			for i, turn := range s.turns {
				if err := turn.play(ctx, ports[i], material); err != nil {
					t.Errorf("%s: %v\n%s", turn.protocol, err, p.text())
				}
			}
		})
	}
}
