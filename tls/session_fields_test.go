package tls

import (
	"crypto/x509"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// sessionFields says for every field of Config what it is to sessions: "bound" in the
// key of the client's cache, in the server's binding, or what else it is. A new field
// needs its row.
var sessionFields = map[string]struct{ client, server string }{
	"Rand":                        {"no weight", "no weight"},
	"Time":                        {"checked: the session's expiry", "checked: the session's expiry"},
	"Certificates":                {"bound", "no weight: a resumption shows none"},
	"NameToCertificate":           {"not a client's", "no weight: a resumption shows none"},
	"GetCertificate":              {"not a client's", "no weight: a resumption shows none"},
	"GetClientCertificate":        {"bound", "not a server's"},
	"GetConfigForClient":          {"not a client's", "checked: the Config that it returns counts"},
	"VerifyPeerCertificate":       {"checked: called again", "checked: called again"},
	"VerifyConnection":            {"checked: called again", "checked: called again"},
	"RootCAs":                     {"bound", "not a server's"},
	"NextProtos":                  {"no weight: agreed on anew", "no weight: agreed on anew"},
	"ServerName":                  {"checked: it names the session", "not a server's; the name that is asked for is bound"},
	"ClientAuth":                  {"not a client's", "bound"},
	"LaterClientAuth":             {"not a client's", "no weight: a resumption demands what ClientAuth says"},
	"ClientCAs":                   {"not a client's", "bound"},
	"InsecureSkipVerify":          {"bound", "not a server's"},
	"CipherSuites":                {"checked: the session's suite is on offer", "checked: the session's suite is allowed"},
	"PreferServerCipherSuites":    {"no weight", "no weight"},
	"SessionTicketsDisabled":      {"checked: no ticket is offered", "checked: no ticket is opened"},
	"SessionTicketKey":            {"not a client's", "checked: the ticket opens"},
	"ClientSessionCache":          {"where sessions are", "not a server's"},
	"UnwrapSession":               {"not a client's", "where sessions are"},
	"WrapSession":                 {"not a client's", "where sessions are"},
	"MinVersion":                  {"bound", "checked: the session's version is what is agreed on now"},
	"MaxVersion":                  {"bound", "checked: the session's version is what is agreed on now"},
	"CurvePreferences":            {"bound", "bound"},
	"DynamicRecordSizingDisabled": {"no weight", "no weight"},
	"Renegotiation":               {"no weight: RFC 5746 is agreed on anew", "not a server's"},
	"KeyLogWriter":                {"no weight", "no weight"},

	"EncryptedClientHelloConfigList":      {"no weight: it hides the session, which is of the inner name", "not a server's"},
	"EncryptedClientHelloRejectionVerify": {"no weight: no session comes of such a handshake", "not a server's"},
	"GetEncryptedClientHelloKeys":         {"not a client's", "no weight: the inner name is bound"},
	"EncryptedClientHelloKeys":            {"not a client's", "no weight: the inner name is bound"},

	"HandshakeTimeout":         {"no weight", "no weight"},
	"HandshakeTurn":            {"no weight", "no weight"},
	"GREASE":                   {"no weight", "no weight"},
	"ShuffleExtensions":        {"no weight", "no weight"},
	"HelloRetryCookie":         {"not a client's", "no weight"},
	"KeyShares":                {"no weight: CurvePreferences decides", "not a server's"},
	"SignatureSchemes":         {"bound", "bound"},
	"PreferClientCipherSuites": {"not a client's", "no weight"},
	"PostHandshakeAuth":        {"no weight: a later certificate is in no session offered", "not a server's"},
	"VerifyAnew":               {"checked: the chain is verified again", "checked: the chain is verified again"},
	"VerifyProfile":            {"checked: the chain is verified again", "checked: the chain is verified again"},
	"Revocation":               {"checked: the chain is verified again", "checked: the chain is verified again"},
	"Trace":                    {"no weight", "no weight"},

	"RequireExtendedMasterSecret": {"checked: agreed on anew", "checked: agreed on anew"},

	"PSK.Client":                  {"checked: asked again for the key of a session", "not a server's"},
	"PSK.Server":                  {"not a client's", "checked: asked again for the key of a session"},
	"PSK.External":                {"checked: the key of a session is one of them", "not a server's"},
	"PSK.ExternalServer":          {"not a client's", "checked: asked again for the key of a session"},
	"PSK.Required":                {"checked: the session began with a key", "checked: the session began with a key"},
	"PSK.WithCertificate":         {"checked: no session is offered", "checked: no session is taken"},
	"PSK.WithoutDH":               {"no weight: a session has a key exchange", "no weight: a session has a key exchange"},
	"PSK.Node":                    {"no weight: it is about hellos", "no weight: it is about hellos"},
	"PSK.Hint":                    {"not a client's", "no weight"},
	"DHE.Parameters":              {"not a client's", "no weight: a resumption uses none"},
	"DHE.MinBits":                 {"bound", "bound"},
	"EarlyData.MaxBytes":          {"not a client's", "checked: the ticket says how much it allows"},
	"EarlyData.Protocols":         {"not a client's", "checked: when early data comes"},
	"EarlyData.Replay":            {"not a client's", "checked: when early data comes"},
	"EarlyData.Window":            {"not a client's", "checked: when early data comes"},
	"Renegotiate.FromClient":      {"no weight: RFC 5746 is agreed on anew", "no weight: RFC 5746 is agreed on anew"},
	"Renegotiate.RefuseFatally":   {"no weight", "no weight"},
	"Renegotiate.RequireSecure":   {"checked: RFC 5746 is agreed on anew", "checked: RFC 5746 is agreed on anew"},
	"Renegotiate.AllowPeerChange": {"no weight: it decides of a renegotiation alone", "no weight: it decides of a renegotiation alone"},
	"Renegotiate.Max":             {"no weight", "no weight"},
	"Renegotiate.MinInterval":     {"no weight", "no weight"},
	"Stapling.ForIssuer":          {"no weight: a resumption staples nothing", "no weight: a resumption staples nothing"},
	"Stapling.AskForChain":        {"no weight: what is needed is verified again", "not a server's"},
	"Resumption.Store":            {"not a client's", "where sessions are"},
	"Resumption.Tickets":          {"not a client's", "no weight"},
	"Resumption.MaxTickets":       {"not a client's", "no weight"},
	"Resumption.Request":          {"no weight", "not a server's"},
	"Resumption.SingleUse":        {"no weight: it decides which session is offered again", "not a server's"},
	"Record.Padding":              {"no weight", "no weight"},
	"CertificateCompression":      {"no weight: a resumption shows none", "no weight: a resumption shows none"},
	"RawPublicKeys.Keys":          {"bound", "no weight: a resumption shows none"},
	"RawPublicKeys.Show":          {"bound", "bound"},
	"RawPublicKeys.Accept":        {"bound", "bound"},
	"RawPublicKeys.Pins":          {"checked: the key is judged again", "checked: the key is judged again"},
	"RawPublicKeys.Verify":        {"checked: called again", "checked: called again"},
	"Delegation.Accept":           {"bound", "not a server's"},
	"Delegation.Get":              {"not a client's", "no weight: a resumption shows none"},
	"Record.MaxFragment":          {"no weight", "no weight"},
	"Record.MaxFragmentLength":    {"checked: agreed on anew", "bound by what was agreed on"},
	"Record.SizeLimit":            {"no weight: agreed on anew", "no weight: agreed on anew"},
	"Legacy":                      {"bound", "bound"}, // each switch
}

// settings calls f for every exported field of a Config by its name; those of
// sub-structs are "Sub.Field", but for Legacy's, which f gets one by one as "Legacy".
func settings(c *Config, f func(name, full string, field reflect.Value)) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		sub := v.Field(i)
		if field.Type.Kind() != reflect.Struct {
			f(field.Name, field.Name, sub)
			continue
		}
		for k := range sub.NumField() {
			name := field.Name + "." + sub.Type().Field(k).Name
			short := name
			if field.Name == "Legacy" {
				short = "Legacy"
			}
			f(short, name, sub.Field(k))
		}
	}
}

func TestEveryFieldHasItsPlaceInSessions(t *testing.T) {
	missing := maps.Clone(sessionFields)
	settings(new(Config), func(name, full string, _ reflect.Value) {
		if _, ok := sessionFields[name]; !ok {
			t.Errorf("sessionFields lacks Config.%s: may a session be resumed where it has changed?", full)
		}
		delete(missing, name)
	})
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("sessionFields has %s, which Config has not", name)
	}
}

// another is a value that the field does not have.
func another(t *testing.T, name string, field reflect.Value) {
	t.Helper()
	switch name {
	case "RootCAs", "ClientCAs":
		pool := x509.NewCertPool()
		pool.AddCert(must(devca.New()).Cert)
		field.Set(reflect.ValueOf(pool))
		return
	case "GetClientCertificate":
		field.Set(reflect.ValueOf(func(*CertificateRequestInfo) (*Certificate, error) { return nil, nil }))
		return
	case "RawPublicKeys.Keys":
		field.Set(reflect.ValueOf([]Certificate{bareKey("ecdsa-p256")}))
		return
	case "Certificates":
		field.Set(reflect.ValueOf([]Certificate{{Certificate: [][]byte{{1}}}}))
		return
	}
	switch field.Kind() {
	case reflect.Bool:
		field.SetBool(!field.Bool())
	case reflect.Int:
		field.SetInt(field.Int() + 1)
	case reflect.Uint16:
		field.SetUint(field.Uint() + 1)
	case reflect.Slice:
		one := reflect.New(field.Type().Elem()).Elem()
		if one.Kind() == reflect.String {
			one.SetString("h2")
		}
		field.Set(reflect.Append(field, one))
	default:
		t.Fatalf("a field of kind %v: add it here", field.Kind())
	}
}

// What sessionFields calls bound does change the key, or the binding.
func TestSessionsAreBoundToEveryRule(t *testing.T) {
	plain := new(Config)
	binding := func(c *Config) [32]byte {
		conn := &Conn{config: c}
		return (*host)(conn).Binding(&handshake.State{Result: new(handshake.Result)})
	}
	settings(new(Config), func(name, full string, _ reflect.Value) {
		row := sessionFields[name]
		changed := new(Config)
		settings(changed, func(_, other string, field reflect.Value) {
			if other == full && (row.client == "bound" || row.server == "bound") {
				another(t, full, field)
			}
		})
		if row.client == "bound" && changed.sessionKey() == plain.sessionKey() {
			t.Errorf("Config.%s is not in the key of the client's cache", full)
		}
		if row.server == "bound" && binding(changed) == binding(plain) {
			t.Errorf("Config.%s is not in the server's binding", full)
		}
	})
}
