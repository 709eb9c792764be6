package explain

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile/redact"
	"github.com/vitrine-tls/vitrine/wire"
)

// private are the values in an account that a redacted trace must not hold.
func (c *Connection) private() (all [][]byte) {
	for _, e := range c.Events {
		switch {
		case e.Secret != nil:
			all = append(all, e.Secret.Value)
		case e.Keys != nil:
			all = append(all, e.Keys.Key, e.Keys.IV, e.Keys.MAC)
		case e.Record != nil && e.Record.typ == wire.ContentApplicationData:
			all = append(all, e.Record.Plain)
		case e.Record != nil && e.Record.Epoch > 0 && len(e.Record.Wire) > wire.RecordHeaderLen:
			all = append(all, e.Record.Wire[wire.RecordHeaderLen:])
		case e.Message != nil:
			all = append(all, e.Message.private()...)
		}
	}
	return append(all, []byte(c.Summary.ServerName), []byte(c.Summary.PSKIdentity))
}

// private are those in a message.
func (m *Message) private() (all [][]byte) {
	hidden := []string{"host_name", "psk_identity", "psk_identity_hint", "ticket", "identity", "binder", "legacy_session_id", "legacy_session_id_echo",
		"session_id", "cookie", "signature", "verify_data", "sha_hash", "ocsp_response", "serialized_sct", "distinguished_name", "encrypted_pre_master_secret",
		"subjectPublicKey", "serialNumber", "signatureValue", "value", "[2]", "opaque"}
	for _, f := range m.Fields {
		if !f.Group && slices.Contains(hidden, f.Name) {
			all = append(all, f.Bytes)
		}
	}
	if p, ok := m.parsed.(*wire.Certificate); ok {
		for _, entry := range p.Entries {
			all = append(all, namesIn(entry.DER)...)
		}
	}
	return all
}

func namesIn(der []byte) (all [][]byte) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return [][]byte{der}
	}
	for _, name := range slices.Concat(cert.DNSNames, cert.EmailAddresses, []string{cert.Subject.CommonName, cert.Issuer.CommonName}, cert.Subject.Organization, cert.Issuer.Organization) {
		all = append(all, []byte(name))
	}
	for _, ip := range cert.IPAddresses {
		all = append(all, []byte(ip.String()))
	}
	return append(all, cert.Signature, cert.SubjectKeyId, cert.AuthorityKeyId, cert.RawSubjectPublicKeyInfo, cert.SerialNumber.Bytes())
}

// mustHide fails where the file holds a value: as it is, in hex or in base64.
func mustHide(t *testing.T, file []byte, value []byte) {
	t.Helper()
	if len(value) < 5 || slices.Max(value) == 0 {
		return // so short that it may be there by chance
	}
	forms := []string{string(value), hex.EncodeToString(value)}
	for skip := range 3 { // each way in which base64 can cut it
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, e.EncodeToString(value[min(skip, len(value)):][:max(0, (len(value)-skip)/3*3)]))
		}
	}
	lower := bytes.ToLower(file)
	for i, f := range forms {
		if len(f) >= 8 && bytes.Contains(file, []byte(f)) || i < 2 && len(value) > 5 && bytes.Contains(lower, []byte(strings.ToLower(f))) {
			t.Errorf("a redacted trace holds %q (%x)", value, value)
			return
		}
	}
}

func redacted(t *testing.T, file []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := redact.New().Copy(&out, bytes.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// mustRedact: a redacted trace holds nothing that is private, and its account has the
// same shape, in which nothing disagrees.
func (c *Collector) mustRedact(t *testing.T) {
	t.Helper()
	about := About{Target: "secret-target.example.net:4433", Trust: "certificate verified for localhost", Sent: `sent: "hello over there"`,
		Warnings: []string{"the key of \"localhost\" is short; see https://docs.example.org/why, mail root@example.org or ask 192.0.2.77 or 2001:db8::77"},
		Err:      errors.New("the certificate is for CN=localhost,O=vitrine, not for other.example.com"), Advice: "ask secret-target.example.net",
		Verdict: &Verdict{ServerName: "localhost", Sentence: "localhost is not what was asked", Rules: []RuleCheck{}, Paths: []Path{{Subjects: []string{"CN=Hidden Root,O=Hidden Inc"}}},
			Certificates: []Certificate{{Role: "root", Subject: "CN=Hidden Root,O=Hidden Inc", Names: []string{"hidden.example.com", "192.0.2.78"}}}}}
	account := c.Connection(about)
	file := redacted(t, saved(t, true, about, c))
	for _, value := range account.private() {
		mustHide(t, file, value)
	}
	for _, name := range []string{"secret-target", "example.net", "docs.example", "root@", "192.0.2.77", "2001:db8::77", "other.example.com", "Hidden", "192.0.2.78", "over there", "localhost"} {
		mustHide(t, file, []byte(name))
	}
	bare := loaded(t, file)[0]
	if !bare.Redacted || !bare.Checks.OK() || bare.Checks.Secrets+bare.Checks.Keys > 0 || len(bare.Events) != len(account.Events) {
		t.Errorf("seen from the %s, redacted: %+v", account.Side, bare.Checks)
	}
	mustBeOfOneShape(t, account, bare)
	if text := render(t, bare, look{}); !strings.Contains(text, "redacted: secrets, application data") || strings.Contains(text, "saved without secrets") {
		t.Error("it is not said that the trace is redacted")
	}
}

// mustBeOfOneShape compares what a redacted account must have like the original.
func mustBeOfOneShape(t *testing.T, a, b *Connection) {
	t.Helper()
	if a.Summary.Version != b.Summary.Version || a.Summary.CipherSuite != b.Summary.CipherSuite || a.Summary.Complete != b.Summary.Complete ||
		a.Summary.ALPN != b.Summary.ALPN || a.Summary.Resumed != b.Summary.Resumed || len(a.Summary.ServerName) != len(b.Summary.ServerName) {
		t.Errorf("%+v\n%+v", a.Summary, b.Summary)
	}
	for i, e := range a.Events[:min(len(a.Events), len(b.Events))] {
		other := b.Events[i]
		switch {
		case e.Record != nil && (other.Record == nil || len(e.Record.Wire) != len(other.Record.Wire) || len(e.Record.Plain) != len(other.Record.Plain) || e.Record.Type != other.Record.Type):
			t.Errorf("record %d: %+v", e.Record.Number, other.Record)
		case e.Message != nil && (other.Message == nil || e.Message.Name != other.Message.Name || e.Message.Malformed != other.Message.Malformed || len(e.Message.Fields) != len(other.Message.Fields)):
			t.Errorf("%s: %+v", e.Message.Name, other.Message)
		case e.Secret != nil && (other.Secret == nil || len(e.Secret.Value) != len(other.Secret.Value) || other.Secret.Check.Result != Given):
			t.Errorf("%s: %+v", e.Secret.Name, other.Secret)
		}
	}
}

// The same value has the same stand-in: the name in the hello is that in the certificate,
// a ticket is offered as it was issued, and another file has other ones.
func TestStandInsAreStable(t *testing.T) {
	p := newPair(t)
	first, _ := p.connect(t, nil)
	second, _ := p.connect(t, nil)
	original := saved(t, true, About{Target: "localhost:443"}, first, second)
	all := loaded(t, redacted(t, original))
	name := all[0].Summary.ServerName
	if c, err := x509.ParseCertificate(all[0].leafDER()); err != nil || c.DNSNames[0] != name || c.VerifyHostname(name) != nil || all[0].Target != name+":443" {
		t.Errorf("the hello asks for %q at %s; the certificate is for %q, %v", name, all[0].Target, c.DNSNames, err)
	}
	ticket, offered := all[0].field("NewSessionTicket", "ticket"), all[1].field("ClientHello", "identity")
	if !bytes.Equal(ticket, offered) && !bytes.Equal(all[0].lastField("NewSessionTicket", "ticket"), offered) || len(offered) == 0 {
		t.Errorf("issued %x, offered %x", ticket, offered)
	}
	if again := loaded(t, redacted(t, original)); again[0].Summary.ServerName == name {
		t.Error("two files have the same stand-ins")
	}
}

func (c *Connection) field(message, name string) []byte {
	for _, e := range c.Events {
		if e.Message != nil && e.Message.Name == message {
			for _, f := range e.Message.Fields {
				if f.Name == name && !f.Group {
					return f.Bytes
				}
			}
		}
	}
	return nil
}

func (c *Connection) lastField(message, name string) (found []byte) {
	for _, e := range c.Events {
		if e.Message != nil && e.Message.Name == message {
			one := Connection{Events: []Event{e}}
			found = one.field(message, name)
		}
	}
	return found
}

// leafDER is the first certificate that was shown.
func (c *Connection) leafDER() []byte {
	for _, e := range c.Events {
		if e.Message != nil {
			if p, ok := e.Message.parsed.(*wire.Certificate); ok && len(p.Entries) > 0 {
				return p.Entries[0].DER
			}
		}
	}
	return nil
}

// What comes in no known form is replaced as a whole: what is not TLS, half a message, a
// message that cannot be read, data before the handshake.
func TestWhatIsNotKnownIsHidden(t *testing.T) {
	const private = "private.example.com"
	var c Collector
	hooks := c.Hooks()
	half := append([]byte{byte(wire.TypeClientHello), 0, 1, 0, 3, 3}, private...)
	inRecord := func(typ wire.ContentType, body []byte) []byte {
		return append([]byte{byte(typ), 3, 3, 0, byte(len(body))}, body...)
	}
	hooks.Record(trace.Record{Dir: trace.Received, Type: wire.ContentHandshake, Wire: inRecord(22, half), Plain: half})
	hooks.Message(trace.Message{Dir: trace.Received, Raw: half})
	hooks.Record(trace.Record{Dir: trace.Received, Type: 99, Wire: []byte("GET / HTTP/1.1\r\nHost: " + private), Err: errors.New(`it is no TLS: "GET / HTTP/1.1\r\nHost: ` + private + `"`)})
	hooks.Record(trace.Record{Dir: trace.Received, Type: wire.ContentApplicationData, Wire: inRecord(23, []byte(private)), Plain: []byte(private)})
	hooks.Record(trace.Record{Dir: trace.Received, Type: wire.ContentAlert, Wire: inRecord(21, []byte(private)), Plain: []byte(private)})
	hooks.Record(trace.Record{Dir: trace.Sent, Epoch: 1, Type: wire.ContentApplicationData, Wire: inRecord(23, []byte(private)), Unopened: "the keys of " + private})
	hooks.Alert(trace.Alert{Dir: trace.Sent, Err: errors.New("not for " + private)})
	hooks.Choice(trace.Choice{What: "certificate", By: wire.Server, Picked: "CN=" + private, Why: "the client asks for \"" + private + "\""})
	file := redacted(t, saved(t, true, About{Target: private}, &c))
	for _, part := range []string{private, "private", "example", "Host: "} {
		mustHide(t, file, []byte(part))
	}
}
