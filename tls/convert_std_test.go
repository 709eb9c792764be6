package tls

import (
	stdtls "crypto/tls"
	"crypto/x509"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// A field that a newer Go adds to its Config is refused by name, unless it is not set:
// nothing panics, and nothing is dropped.
func TestConfigsOfANewerGo(t *testing.T) {
	newer := struct {
		ServerName      string
		QuantumMode     bool
		SomeNewFunction func()
		InsecureSkipVerify,
		hidden int
	}{ServerName: "a", hidden: 1}
	c := new(Config)
	if left := carry(reflect.ValueOf(newer), reflect.ValueOf(c).Elem()); len(left) != 0 || c.ServerName != "a" {
		t.Errorf("%q, %q", left, c.ServerName)
	}
	newer.QuantumMode, newer.SomeNewFunction, newer.InsecureSkipVerify = true, func() {}, 1
	if left := carry(reflect.ValueOf(newer), reflect.ValueOf(c).Elem()); strings.Join(left, " ") != "QuantumMode SomeNewFunction InsecureSkipVerify" {
		t.Errorf("left are %q", left)
	}
}

// ToStd carries every field that crypto/tls has, and refuses every other by its name.
func TestToStd(t *testing.T) {
	own := map[string]bool{"ClientSessionCache": true, "GetConfigForClient": true, "WrapSession": true, "UnwrapSession": true}
	needless := map[string]bool{"RSAKeyExchange": true, "TripleDES": true, "RC4": true, "SmallRSA": true, "AnyKeyUsage": true, "UnannouncedEnd": true}
	values := map[string]any{
		"ClientSessionCache": NewLRUClientSessionCache(1), "RootCAs": x509.NewCertPool(), "ClientCAs": x509.NewCertPool(),
		"CipherSuites": []uint16{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, "CurvePreferences": []CurveID{X25519, CurveP521},
		"MinVersion": uint16(VersionTLS10), "MaxVersion": uint16(VersionTLS13), "Rand": io.Reader(strings.NewReader("")), "KeyLogWriter": io.Discard,
		"Resumption.Store": &countingStore{}, "EarlyData.Replay": session.NewRecorder(1, nil), "Trace": traceMessages(func(wire.Message) {}),
	}
	shape := reflect.TypeFor[stdtls.Config]()
	settings(new(Config), func(_, full string, _ reflect.Value) {
		c := new(Config)
		var set reflect.Value
		settings(c, func(_, other string, field reflect.Value) {
			if other != full {
				return
			}
			set = field
			switch v, ok := values[full]; {
			case ok:
				field.Set(reflect.ValueOf(v))
			case field.Kind() == reflect.Pointer:
				field.Set(reflect.New(field.Type().Elem()))
			default:
				field.Set(anything(field.Type()))
			}
		})
		std, err := ToStd(c)
		place, there := shape.FieldByName(full)
		if _, sub, is := strings.Cut(full, "."); is && needless[sub] {
			if err != nil {
				t.Errorf("%s: %v", full, err)
			}
			return
		}
		if !there || own[full] {
			if err == nil || !strings.Contains(err.Error(), full) {
				t.Errorf("%s is dropped without its name: %v", full, err)
			}
			return
		}
		if err != nil {
			t.Errorf("%s: %v", full, err)
			return
		}
		to := reflect.ValueOf(std).Elem().FieldByIndex(place.Index)
		if to.Kind() == reflect.Func && to.Pointer() != set.Pointer() || to.Kind() != reflect.Func && !reflect.DeepEqual(to.Interface(), set.Interface()) {
			t.Errorf("%s is not carried over", full)
		}
	})
	if std, err := ToStd(nil); std != nil || err != nil {
		t.Error("nil:", std, err)
	}
}

// What crypto/tls would not heed in a field of the same name is refused, all at once.
func TestToStdRefusesWhatIsNotHeeded(t *testing.T) {
	c := &Config{
		CipherSuites:     []uint16{TLS_AES_128_GCM_SHA256, uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256), TLS_RSA_WITH_AES_128_CBC_SHA},
		CurvePreferences: []CurveID{X25519, CurveID(wire.GroupFFDHE2048)},
		MinVersion:       uint16(wire.SSL30), Legacy: Legacy{RSAKeyExchange: true, SSL30: true},
	}
	c.SetSessionTicketKeys([][32]byte{{1}})
	_, err := ToStd(c)
	for _, name := range []string{"TLS_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "ffdhe2048", VersionName(uint16(wire.SSL30)), "Legacy.SSL30", "ticket keys"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "TLS_RSA") || strings.Contains(err.Error(), "25519") || strings.Contains(err.Error(), "RSAKeyExchange")) {
		t.Errorf("too much is refused: %v", err)
	}
	for _, g := range stdGroups { // those that crypto/tls says it does not know are not in its handshakes
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		client.CurvePreferences, server.CurvePreferences = []CurveID{g}, []CurveID{g}
		at(VersionTLS13, client, server)
		a, b := memoryPipe()
		s := stdtls.Server(b, must(ToStd(server)))
		if err, serverErr := shake(stdtls.Client(a, must(ToStd(client))), s); err != nil || serverErr != nil || s.ConnectionState().CurveID != g {
			t.Errorf("%v: %v, %v", g, err, serverErr)
		}
	}
}
