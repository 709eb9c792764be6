package attacks

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// docs/key-exchanges.md shows the messages of each key exchange. Here they are
// compared with those of real connections, which are made as the page's own
// commands say.

const exchangesPage = "../../../docs/key-exchanges.md"

// A chapter of the page is a heading, a command and the messages that it shows.
type chapter struct {
	name, command string
	flow          []string // "> ClientHello" from the client, "< ServerHello" from the server
	hinted        []bool   // such a message is there only with a hint
}

var (
	chapterParts = regexp.MustCompile("(?s)\n## ([^\n]+)\n(.*?)\n```sh\n(vitrine explain[^\n]*)\n```\n(.*?)```text\n(.*?)```")
	flowLine     = regexp.MustCompile(`^(?:(\S+) +─+►|◄─+ +(\S+))(.*)$`)
)

func chapters(t *testing.T) (out []chapter) {
	page := string(must(os.ReadFile(exchangesPage)))
	for _, part := range chapterParts.FindAllStringSubmatch(page, -1) {
		c := chapter{name: part[1], command: part[3]}
		for line := range strings.Lines(part[5]) {
			m := flowLine.FindStringSubmatch(strings.TrimSpace(line))
			if m == nil {
				t.Fatalf("%s: a line that shows no message: %q", c.name, line)
			}
			what := "> " + m[1]
			if m[1] == "" {
				what = "< " + m[2]
			}
			c.flow, c.hinted = append(c.flow, what), append(c.hinted, strings.Contains(m[3], "only with a hint"))
		}
		out = append(out, c)
	}
	return out
}

func TestKeyExchangesPage(t *testing.T) {
	secrecy := forwardSecrecy()
	seen := map[wire.KeyExchange]bool{}
	for _, c := range chapters(t) {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				used := c.compare(t)
				seen[used.KeyExchange] = true
				said, listed := secrecy[c.name]
				if secret := used.ForwardSecret(); listed && said != map[bool]string{true: "yes", false: "no"}[secret] {
					t.Errorf("the table says of forward secrecy: %s", said)
				}
				exchange, _, old := strings.Cut(strings.TrimPrefix(used.Name, "TLS_"), "_WITH_")
				if listed && old && !slices.Contains(strings.Split(c.name, ", "), exchange) {
					t.Errorf("the command shows %s", exchange)
				}
			})
		})
	}
	for _, s := range suite.All() {
		if !seen[s.KeyExchange] {
			t.Errorf("the page does not show %v", s.KeyExchange)
			seen[s.KeyExchange] = true
		}
	}
}

// compare makes the chapter's connection, with and without a hint for pre-shared
// keys, and returns its suite.
func (c chapter) compare(t *testing.T) (used *suite.Suite) {
	for _, hint := range []string{"", "a hint"} {
		var got, want []string
		got, used = play(t, c.command, hint)
		for i, what := range c.flow {
			if hint != "" || !c.hinted[i] {
				want = append(want, what)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\nwith the hint %q the page has\n%s\nthe connection\n%s", c.command, hint, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
	return used
}

// forwardSecrecy is the last column of the page's table, by the first.
func forwardSecrecy() map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(string(must(os.ReadFile(exchangesPage)))) {
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) == 5 {
			rows[strings.TrimPrefix(cells[0], "| ")] = strings.TrimSuffix(cells[4], " |")
		}
	}
	return rows
}

// play makes the connection that a command shows, and returns the messages of its
// handshake, the last one's where there are two.
func play(t *testing.T, command, hint string) (flow []string, used *suite.Suite) {
	s, v := suite.ByID(wire.TLS_AES_128_GCM_SHA256), wire.TLS13
	flags := map[string]string{}
	words := strings.Fields(command)[2:]
	for i, word := range words {
		if strings.HasPrefix(word, "--") {
			flags[word] = ""
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
				flags[word] = words[i+1]
			}
		}
	}
	if name := flags["--suites"]; name != "" {
		if s, v = suite.ByName(name), wire.TLS12; s == nil {
			t.Fatalf("%s: no such suite", name)
		}
		v = min(v, s.Max)
		if s.KeyExchange == wire.KeyExchangeNone {
			v = wire.TLS13
		}
	}
	client, server := configs(s, v)
	client.PSK.Client = func(string) (string, []byte, error) { return pskIdentity, []byte(pskKey), nil }
	server.PSK.Hint = hint
	if flags["--groups"] == "ffdhe2048" {
		client.CurvePreferences = []tls.CurveID{tls.CurveID(wire.GroupFFDHE2048)}
		server.CurvePreferences = client.CurvePreferences
	}
	if _, ok := flags["--client-auth"]; ok {
		server.ClientAuth, client.Certificates = tls.RequireAndVerifyClientCert, testPKI().client[:1]
	}
	way := flags["--resume"]
	server.SessionTicketsDisabled = way == "" || way == "id"
	if way != "" {
		client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		server.Resumption.Store = session.NewMemory(1 << 16)
		e := connect(t, client, server, nil).well(t)
		e.talk(t)
	}
	client.Trace = noteFlow(&flow)
	e := connect(t, client, server, nil).well(t)
	if got := e.client.State().Resumption; way != "" && got != way || way == "" && got != "none" {
		t.Errorf("%s: resumed by %s", command, got)
	}
	return flow, s
}

// noteFlow notes the messages of a client's handshake, and change_cipher_spec.
func noteFlow(flow *[]string) *trace.Hooks {
	note := func(dir trace.Direction, what string) {
		arrow := map[trace.Direction]string{trace.Sent: "> ", trace.Received: "< "}[dir]
		*flow = append(*flow, arrow+what)
	}
	return &trace.Hooks{
		Message: func(m trace.Message) {
			if !m.PostHandshake {
				note(m.Dir, wire.HandshakeType(m.Raw[0]).String())
			}
		},
		Record: func(r trace.Record) {
			if r.Type == wire.ContentChangeCipherSpec {
				note(r.Dir, "change_cipher_spec")
			}
		},
	}
}
