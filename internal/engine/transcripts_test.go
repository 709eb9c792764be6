package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	stdtls "crypto/tls"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "rewrite testdata/transcripts")

// TestTranscripts plays testdata/transcripts: commands, and below a line of
// dashes all that they made happen, byte for byte. Randomness is fixed. How Go
// uses it may change with a release: then -update, and read the difference.
//
//	client, server KEY=VALUE...   set up a side
//	break SIDE MESSAGE HOW [N]    have it flip (a bit of byte N), drop or repeat a message
//	connect                       run a handshake to its end
//	resume                        have the client offer the session it has
//	write SIDE TEXT               send data
//	update SIDE [request]         KeyUpdate
//	renegotiate SIDE              a further handshake that SIDE begins
//	authenticate                  the server asks for a certificate after the handshake
//	inject SIDE TYPE HEX          seal a record with any content
//	close SIDE, end SIDE          close_notify; the end of SIDE's input
//	brief                         from now on only the names of messages, alerts, and ends
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatal(err, len(files))
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			cryptotest.SetGlobalRandom(t, 1)
			got := newScene(t).play(string(text))
			if *update {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("%s", difference(string(text), got))
			}
		})
	}
}

func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d:\nwant %s\ngot  %s", i+1, w[i], g[i])
		}
	}
	return fmt.Sprintf("%d lines instead of %d", len(g), len(w))
}

// scene is where a transcript is played.
type scene struct {
	t              *testing.T
	client, server *host
	breaks         map[wire.Role][]edit
	link           *link
	out            strings.Builder
	brief          bool
}

func newScene(t *testing.T) *scene {
	return &scene{t: t, client: newClientHost(), server: newServerHost(), breaks: map[wire.Role][]edit{}}
}

// play runs the commands of a file and returns it with what they did.
func (s *scene) play(text string) string {
	var file strings.Builder
	for block := range strings.SplitSeq(text, "\n\n") {
		commands, _, _ := strings.Cut(block, "\n----")
		commands = strings.Trim(commands, "\n")
		if commands == "" {
			continue
		}
		s.out.Reset()
		for line := range strings.Lines(commands) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				s.do(strings.Fields(line))
			}
		}
		if file.Len() > 0 {
			file.WriteString("\n")
		}
		file.WriteString(commands + "\n----\n" + s.out.String())
	}
	return file.String()
}

func (s *scene) do(args []string) {
	switch args[0] {
	case "client":
		s.configure(s.client, args[1:])
	case "server":
		s.configure(s.server, args[1:])
	case "break":
		s.breakIt(args[1:])
	case "connect":
		s.link = &link{client: s.side(wire.Client, s.client), server: s.side(wire.Server, s.server)}
		s.breaks = map[wire.Role][]edit{}
		s.run()
	case "resume":
		s.client.offer = s.client.saved
	case "write":
		side := s.of(args[1])
		if _, err := side.Write([]byte(strings.Join(args[2:], " "))); err != nil {
			s.line("%s cannot write: %v", args[1], err)
		}
		s.run()
	case "update":
		if err := s.of(args[1]).KeyUpdate(len(args) > 2); err != nil {
			s.line("%s cannot update: %v", args[1], err)
		}
		s.run()
	case "renegotiate":
		side := s.of(args[1])
		if err := side.Renegotiate(context.Background(), &side.host.config); err != nil {
			s.line("%s cannot renegotiate: %v", args[1], err)
		}
		s.run()
	case "authenticate":
		if err := s.link.server.Authenticate(context.Background(), &s.server.config); err != nil {
			s.line("server cannot ask: %v", err)
		}
		s.run()
	case "inject":
		typ, _ := strconv.Atoi(args[2])
		content, err := hex.DecodeString(strings.Join(args[3:], ""))
		if err != nil {
			s.t.Fatal(err)
		}
		s.of(args[1]).inject(s.t, wire.ContentType(typ), content...)
		s.run()
	case "brief":
		s.brief = true
	case "close":
		s.of(args[1]).CloseNotify()
		s.run()
	case "end":
		s.of(args[1]).end()
		s.run()
	default:
		s.t.Fatalf("unknown command %q", args)
	}
}

func (s *scene) line(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

func (s *scene) of(name string) *side {
	if name == "client" {
		return s.link.client
	}
	return s.link.server
}

// run passes bytes, and tells what was received and how it ended.
func (s *scene) run() {
	before := [2]error{s.link.client.err, s.link.server.err}
	s.link.run()
	for i, side := range []*side{s.link.client, s.link.server} {
		if len(side.received) > 0 {
			s.line("%v receives %q", side.Role(), side.received)
			side.received = nil
		}
		if side.err != before[i] {
			s.line("%v ends: %v", side.Role(), side.err)
		}
	}
	if c, v := s.link.client, s.link.server; c.err == nil && v.err == nil {
		s.line("both go on: %s", state(c))
	}
}

func state(s *side) string {
	r := s.Result()
	text := fmt.Sprintf("%v, %v, group %v, resumption %v, retry %v, extended master secret %v, encrypt-then-MAC %v",
		r.Version, r.Suite, r.Group, r.Resumption, r.HelloRetry, r.ExtendedMasterSecret, r.EncryptThenMAC)
	if r.DHBits != 0 {
		text += fmt.Sprintf(", %d bits", r.DHBits)
	}
	if r.PSKIdentity != "" {
		text += fmt.Sprintf(", PSK of %q", r.PSKIdentity)
	}
	if r.Compression != wire.CompressionNull {
		text += ", " + r.Compression.String()
	}
	if r.SendLimit != 0 {
		text += fmt.Sprintf(", limits %d and %d", r.SendLimit, r.ReceiveLimit)
	}
	return text
}

// known are the versions by their names on the command line.
var known = map[string]wire.Version{"ssl3.0": wire.SSL30, "tls1.0": wire.TLS10, "tls1.1": wire.TLS11, "tls1.2": wire.TLS12, "tls1.3": wire.TLS13}

func number(v string) int {
	n, err := strconv.Atoi(v)
	if err != nil {
		panic(err)
	}
	return n
}

// settings are the keys of the commands client and server.
var settings = map[string]func(h *host, v string){
	"versions": func(h *host, v string) {
		h.config.Versions = list(v, known)
	},
	"groups": func(h *host, v string) {
		h.config.Groups = list(v, map[string]wire.NamedGroup{"P-256": wire.GroupP256, "P-384": wire.GroupP384})
	},
	"suites": func(h *host, v string) {
		h.config.Suites = nil
		for name := range strings.SplitSeq(v, ",") {
			h.config.Suites = append(h.config.Suites, suite.ByName(name))
		}
	},
	"auth": func(h *host, v string) {
		h.config.ClientAuth = list(v, map[string]stdtls.ClientAuthType{"none": stdtls.NoClientCert, "request": stdtls.RequestClientCert, "require": stdtls.RequireAndVerifyClientCert})[0]
	},
	"certificate": func(h *host, v string) {
		if h.certificate = nil; v != "none" {
			h.certificate = certificate(v)
		}
	},
	"staple": func(h *host, v string) {
		c := *h.certificate
		c.OCSPStaple, c.SignedCertificateTimestamps = []byte(v), [][]byte{[]byte("a timestamp")}
		h.certificate = &c
	},
	"again":    func(h *host, v string) { h.again = v != "no" },
	"late":     func(h *host, _ string) { h.again, h.config.PostHandshakeAuth = true, true },
	"hint":     func(h *host, v string) { h.config.PSKHint = v },
	"psk":      func(h *host, v string) { h.identity, h.key = v, []byte("the key of "+v) },
	"dss":      func(h *host, _ string) { h.config.Schemes = append(h.config.Schemes, wire.DSASHA256) },
	"compress": func(h *host, _ string) { h.config.Compression = true },
	"fragment": func(h *host, v string) { h.config.MaxFragmentLength = wire.MaxFragmentLengthOf(number(v)) },
	"limit":    func(h *host, v string) { h.config.SizeLimit = number(v) },
	"alpn":     func(h *host, v string) { h.config.ALPN = strings.Split(v, ",") },
	"tickets":  func(h *host, _ string) { h.config.Tickets, h.config.Sessions = true, true },
	"ids":      func(h *host, _ string) { h.config.Store, h.config.Sessions = true, true },
	"cookie":   func(h *host, _ string) { h.config.RetryCookie = true },
	"fallback": func(h *host, _ string) { h.config.Fallback = true },
	"noems":    func(h *host, _ string) { h.config.NoExtendedMasterSecret = true },
	"expects":  func(h *host, v string) { h.name = v },
}

func list[T any](v string, known map[string]T) (out []T) {
	for name := range strings.SplitSeq(v, ",") {
		out = append(out, known[name])
	}
	return out
}

func (s *scene) configure(h *host, args []string) {
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		set, ok := settings[key]
		if !ok {
			s.t.Fatalf("unknown setting %q", key)
		}
		set(h, value)
	}
}

func (s *scene) breakIt(args []string) {
	role := wire.Client
	if args[0] == "server" {
		role = wire.Server
	}
	i := slices.IndexFunc(anyType, func(t wire.HandshakeType) bool { return t.String() == args[1] })
	if i < 0 {
		s.t.Fatalf("unknown message %q", args[1])
	}
	typ := anyType[i]
	e := map[string]edit{
		"drop":   on(typ, func([]byte) [][]byte { return nil }),
		"repeat": on(typ, func(raw []byte) [][]byte { return [][]byte{raw, raw} }),
	}[args[2]]
	if args[2] == "flip" {
		n, err := strconv.Atoi(args[3])
		if err != nil {
			s.t.Fatal(err)
		}
		e = flip(typ, n)
	}
	s.breaks[role] = append(s.breaks[role], e)
}

// side makes an engine whose events are written down: of what goes over the
// wire only the sender's.
func (s *scene) side(role wire.Role, h *host) *side {
	end := newSide(role, h, s.breaks[role]...)
	end.hooks = trace.Hooks{
		Choice: func(c trace.Choice) {
			s.detail("%v: %s: %s, because %s", role, c.What, cmp.Or(c.Picked, "nothing"), c.Why)
		},
		Message: func(m trace.Message) { s.message(role, m) },
		Secret: func(x trace.Secret) {
			from := x.From
			if x.Label != "" {
				from += ", " + strconv.Quote(x.Label)
			}
			s.detail("%v: %s = %s(%s) = %x", role, x.Name, x.How, strings.TrimPrefix(from, ", "), x.Value)
		},
		Keys: func(k trace.Keys) {
			s.detail("%v: keys for what is %s, epoch %d, %s: key %x, IV %x, MAC %x", role, k.Dir, k.Epoch, k.Label, k.Key, k.IV, k.MAC)
		},
		Alert: func(a trace.Alert) { s.line("%v: alert %s, %s, %s", role, a.Dir, a.Level, a.Code) },
		Record: func(r trace.Record) {
			if r.Dir == trace.Sent {
				s.detail("%v sends a record, epoch %d, number %d, %s, %d bytes: %s", role, r.Epoch, r.Seq, r.Type, len(r.Wire), short(r.Wire))
			}
		},
	}
	return end
}

// detail is a line that brief leaves out.
func (s *scene) detail(format string, args ...any) {
	if !s.brief {
		s.line(format, args...)
	}
}

// message writes down a message and, where it is sent, what it is made of.
func (s *scene) message(role wire.Role, m trace.Message) {
	name := wire.HandshakeType(m.Raw[0])
	if m.Dir == trace.Received {
		s.line("%v takes %s", role, name)
		return
	}
	s.line("%v says %s, %d bytes", role, name, len(m.Raw))
	if s.brief {
		return
	}
	var rec wire.Recorder
	if _, err := wire.DecodeMessage(m.Raw, m.Context, &rec); err != nil {
		s.t.Fatal(err)
	}
	for _, f := range rec.Spans {
		bytes := short(m.Raw[f.Offset : f.Offset+f.Length])
		switch {
		case f.Name == "length", f.Name == "msg_type", f.Name == "extension_type", f.Name == "extension_data":
		case f.Group:
			s.line("%*s%s", 2*f.Depth+2, "", f.Name)
		case f.Value == bytes:
			s.line("%*s%s: %s", 2*f.Depth+2, "", f.Name, bytes)
		case f.Length > 32:
			s.line("%*s%s: %s", 2*f.Depth+2, "", f.Name, bytes)
		default:
			s.line("%*s%s: %s = %s", 2*f.Depth+2, "", f.Name, bytes, f.Value)
		}
	}
}

// short shows bytes: all of a few, else the first and a digest of all.
func short(b []byte) string {
	if len(b) <= 32+record.HeaderLen {
		return hex.EncodeToString(b)
	}
	return fmt.Sprintf("%x… sha256 %.16x", b[:16], sha256.Sum256(b))
}
