package scan

import (
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

//go:embed clients.txt
var clientsText string

// A Client is a program that people connect with, as its hello shows it.
type Client struct {
	// Name is the program's, with its version.
	Name string
	// Source says who recorded the hello, and where it stands.
	Source string
	// Hello offers what the program offers, in its order. Reserved values (GREASE) are
	// left out, and so are extensions that do not decide.
	Hello Hello
}

// PlayedClient says whether a client can connect, and with what.
type PlayedClient struct {
	Name     string `json:"name"`
	Connects bool   `json:"connects"`
	// Why says how the server turned it down.
	Why     string `json:"why,omitempty"`
	Version string `json:"version,omitempty"`
	Suite   string `json:"cipher_suite,omitempty"`
	Group   string `json:"group,omitempty"`
	ALPN    string `json:"alpn,omitempty"`
}

// decides are the extensions of a recorded hello that a played one asks for.
var decides = append(slices.Clone(usual), wire.ExtEncryptThenMAC, wire.ExtPSKKeyExchangeModes)

// Clients returns the clients that a scan plays.
func Clients() []Client { return slices.Clone(recordedClients()) }

var recordedClients = sync.OnceValue(func() (all []Client) {
	sources := map[string]string{}
	for line := range strings.Lines(clientsText) {
		line = strings.TrimRight(line, "\n")
		field, values, isField := strings.Cut(strings.TrimPrefix(line, "\t"), " ")
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "source "):
			key, source, _ := strings.Cut(values, " ")
			sources[key] = source
		case line[0] != '\t':
			all = append(all, Client{Name: line})
		case isField && field == "from" && len(all) > 0:
			all[len(all)-1].Source = sources[values]
		case isField && len(all) > 0:
			all[len(all)-1].Hello.read(field, strings.Fields(values))
		}
	}
	return all
})

// read takes one line of clients.txt.
func (h *Hello) read(field string, values []string) {
	switch field {
	case "legacy":
		h.Version = numbers[wire.Version](values)[0]
	case "versions":
		h.Versions = numbers[wire.Version](values)
	case "suites":
		h.Suites = numbers[wire.CipherSuite](values)
	case "groups":
		h.Groups = numbers[wire.NamedGroup](values)
	case "shares":
		h.Shares = numbers[wire.NamedGroup](values)
	case "schemes":
		h.Schemes = numbers[wire.SignatureScheme](values)
	case "alpn":
		h.ALPN = values
	case "ask":
		h.Ask = numbers[wire.ExtensionType](values)
	case "name":
		h.NoName = true
	}
}

// numbers reads numbers of four hexadecimal digits. A test reads the file.
func numbers[T ~uint16](values []string) (list []T) {
	for _, v := range values {
		if b, err := hex.DecodeString(v); err == nil && len(b) == 2 {
			list = append(list, T(b[0])<<8|T(b[1]))
		}
	}
	return list
}

// ClientOf is the client that has sent a hello. Whether it says the server's name is not
// read: programs leave the name out where it is that of the own machine.
func ClientOf(name string, from *wire.ClientHello) Client {
	h := Hello{Version: from.LegacyVersion, Suites: sincere(from.CipherSuites)}
	x := from.Extensions
	_, _ = x.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { h.Versions = sincere(wire.ReadSupportedVersions(r, nil)) })
	_, _ = x.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { h.Groups = sincere(wire.ReadSupportedGroups(r, nil)) })
	_, _ = x.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) { h.Schemes = sincere(wire.ReadSignatureAlgorithms(r, nil)) })
	_, _ = x.Read(wire.ExtKeyShare, func(r *wire.Reader) {
		for _, s := range wire.ReadKeyShares(r, nil) {
			h.Shares = append(h.Shares, s.Group)
		}
		h.Shares = sincere(h.Shares)
	})
	_, _ = x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			h.ALPN = append(h.ALPN, string(p))
		}
	})
	for _, e := range x {
		if slices.Contains(decides, e.Type) {
			h.Ask = append(h.Ask, e.Type)
		}
	}
	slices.Sort(h.Ask) // some shuffle them
	return Client{Name: name, Hello: h}
}

// sincere is a list without reserved values.
func sincere[T ~uint16](list []T) []T { return slices.DeleteFunc(slices.Clone(list), wire.IsGREASE[T]) }

// String is the client as clients.txt has it, without its source.
func (c Client) String() string {
	var b strings.Builder
	fmt.Fprintln(&b, c.Name)
	row(&b, "legacy", []wire.Version{c.Hello.Version})
	row(&b, "versions", c.Hello.Versions)
	row(&b, "suites", c.Hello.Suites)
	row(&b, "groups", c.Hello.Groups)
	row(&b, "shares", c.Hello.Shares)
	row(&b, "schemes", c.Hello.Schemes)
	if len(c.Hello.ALPN) > 0 {
		fmt.Fprintf(&b, "\talpn %s\n", strings.Join(c.Hello.ALPN, " "))
	}
	row(&b, "ask", c.Hello.Ask)
	if c.Hello.NoName {
		b.WriteString("\tname none\n")
	}
	return b.String()
}

func row[T ~uint16](b *strings.Builder, field string, list []T) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\t%s", field)
	for _, v := range list {
		fmt.Fprintf(b, " %04x", uint16(v))
	}
	b.WriteString("\n")
}

// clients plays each client; those that greet alike, by one connection.
func (x *audit) clients(ctx context.Context) {
	alike := map[string][]int{}
	for i, c := range recordedClients() {
		key := Client{Hello: c.Hello}.String()
		alike[key] = append(alike[key], i)
	}
	played := make([]PlayedClient, len(recordedClients()))
	var wait sync.WaitGroup
	for _, same := range alike {
		wait.Go(func() {
			c := recordedClients()[same[0]]
			a := x.do(ctx, Probe{Name: "a hello of " + c.Name, Hello: c.Hello, Until: Flight, idle: true})
			for _, i := range same {
				played[i] = playedBy(recordedClients()[i].Name, a)
			}
		})
	}
	wait.Wait()
	x.r.Clients = played
}

// playedBy is what came of a client's hello; nil stands for nothing.
func playedBy(name string, a *Answer) PlayedClient {
	if a == nil {
		return PlayedClient{Name: name, Why: "the scan ended"}
	}
	p := PlayedClient{Name: name, Connects: a.End == Reached}
	if !p.Connects {
		p.Why = answerOf(a)
		if unanswered(a) {
			p.Why = "no answer came"
		}
		return p
	}
	p.Version, p.Suite, p.ALPN = a.Version.String(), SuiteName(a.Suite), a.ALPN
	if a.Group != 0 {
		p.Group = GroupName(a.Group)
	}
	return p
}
