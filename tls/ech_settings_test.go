package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// configOf changes the config of a key.
func configOf(key EncryptedClientHelloKey, change func(*wire.ECHConfig)) EncryptedClientHelloKey {
	r := wire.NewReader(key.Config, nil)
	var c wire.ECHConfig
	c.Read(&r)
	change(&c)
	key.Config = c.Append(nil)
	return key
}

func listOf(configs ...[]byte) []byte {
	all := slices.Concat(configs...)
	return append([]byte{byte(len(all) >> 8), byte(len(all))}, all...)
}

// What cannot work is refused at the start, and the error says what to do.
func TestECHSettingsThatCannotWork(t *testing.T) {
	key := must(GenerateECHKey(publicName, ECHKeyOptions{}))
	with := func(change func(*wire.ECHConfig)) []byte { return listOf(configOf(key, change).Config) }
	good := must(ECHConfigList(key))
	for name, list := range map[string][]byte{
		"does not parse; it is what the server publishes": good[1:],
		"does not parse":                                          {},
		"one is of version 0xfe0a":                                listOf([]byte{0xfe, 0x0a, 0, 0}),
		"kem(0x6666) is not implemented":                          with(func(c *wire.ECHConfig) { c.KEM = 0x6666 }),
		"no suite that is implemented":                            with(func(c *wire.ECHConfig) { c.Suites = []wire.HPKESuite{{KDF: 0x1111, AEAD: 0x2222}} }),
		"demands an extension that is not known":                  with(func(c *wire.ECHConfig) { c.Extensions = []wire.ECHConfigExtension{{Type: 0x8001}} }),
		"its public key is not valid":                             with(func(c *wire.ECHConfig) { c.PublicKey = []byte{1} }),
		`the public_name "under_score.test" is not a host name`:   with(func(c *wire.ECHConfig) { c.PublicName = []byte("under_score.test") }),
		`the public_name "192.0.2.1" is not a host name`:          with(func(c *wire.ECHConfig) { c.PublicName = []byte("192.0.2.1") }),
		`the public_name "a.0x7f" is not a host name`:             with(func(c *wire.ECHConfig) { c.PublicName = []byte("a.0x7f") }),
		`the public_name "a..test" is not a host name; get a new`: with(func(c *wire.ECHConfig) { c.PublicName = []byte("a..test") }),
	} {
		client := testPKI().client()
		client.EncryptedClientHelloConfigList = list
		a, _ := memoryPipe()
		err := Client(a, client).Handshake()
		if err == nil || !strings.Contains(err.Error(), strings.Split(name, ";")[0]) {
			t.Errorf("%s: %v", name, err)
		}
		if _, checkErr := CheckECHConfigList(list); checkErr == nil {
			t.Errorf("%s: CheckECHConfigList finds nothing", name)
		}
	}
	many := make([]EncryptedClientHelloKey, 9)
	for i := range many {
		many[i] = configOf(must(GenerateECHKey(publicName, ECHKeyOptions{})), func(c *wire.ECHConfig) { c.ConfigID = 1 })
	}
	other := must(GenerateECHKey(publicName, ECHKeyOptions{}))
	for name, keys := range map[string][]EncryptedClientHelloKey{
		"Config is not an ECHConfig":          {{Config: good, PrivateKey: key.PrivateKey}},
		"PrivateKey is not one of":            {{Config: key.Config, PrivateKey: []byte{1}}},
		"PrivateKey does not belong":          {{Config: key.Config, PrivateKey: other.PrivateKey}},
		"no client could use its Config":      {configOf(key, func(c *wire.ECHConfig) { c.PublicName = []byte("_") })},
		"more than 8 keys with the config_id": many,
	} {
		server := testPKI().server("ecdsa-p256")
		server.EncryptedClientHelloKeys = keys
		_, b := memoryPipe()
		if err := Server(b, server).Handshake(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	client, server, _ := echPair(t)
	client.MaxVersion, server.MaxVersion = VersionTLS12, VersionTLS12
	if _, _, a, b := connectInMemory(client, server); a == nil || b == nil || !strings.Contains(a.Error(), "needs TLS 1.3") || !strings.Contains(b.Error(), "needs TLS 1.3") {
		t.Errorf("with TLS 1.2 alone: %v, %v", a, b)
	}
	for _, name := range []string{"", "a b.test", "-a.test", "127.0.0.1", strings.Repeat("a.", 140) + "test"} {
		if _, err := GenerateECHKey(name, ECHKeyOptions{}); err == nil {
			t.Errorf("%q is a public name", name)
		}
	}
	if _, err := ECHConfigList(); err == nil {
		t.Error("a list of no keys is made")
	}
}

// Of several configs the first is taken that can be used.
func TestECHConfigIsPicked(t *testing.T) {
	client, server, key := echPair(t)
	client.EncryptedClientHelloConfigList = listOf([]byte{0xfe, 0x0a, 0, 0}, configOf(key, func(c *wire.ECHConfig) { c.KEM = 0x6666 }).Config,
		configOf(key, func(c *wire.ECHConfig) { c.Extensions = []wire.ECHConfigExtension{{Type: 0xffff}} }).Config, key.Config)
	if name, err := CheckECHConfigList(client.EncryptedClientHelloConfigList); name != publicName || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	c, _ := mustConnect(t, client, server)
	if !c.ConnectionState().ECHAccepted {
		t.Error("not accepted")
	}
}

// A server has its old key and the new one while DNS knows both; clients that come with
// neither are told of the new one.
func TestECHKeysAreRotated(t *testing.T) {
	client, server, old := echPair(t)
	id := uint8(1)
	next := must(GenerateECHKey(publicName, ECHKeyOptions{ConfigID: &id, MaxNameLength: 32}))
	old.SendAsRetry = false
	asked := 0
	server.GetEncryptedClientHelloKeys = func(info *ClientHelloInfo) ([]EncryptedClientHelloKey, error) {
		if asked++; info.ServerName != publicName {
			t.Errorf("the callback is shown the name %q", info.ServerName)
		}
		return []EncryptedClientHelloKey{next, old}, nil
	}
	server.EncryptedClientHelloKeys = nil
	for _, key := range []EncryptedClientHelloKey{old, next} {
		client.EncryptedClientHelloConfigList = must(ECHConfigList(key))
		if c, _ := mustConnect(t, client, server); !c.ConnectionState().ECHAccepted {
			t.Error("a key is not taken")
		}
	}
	client.EncryptedClientHelloConfigList = must(ECHConfigList(must(GenerateECHKey(publicName, ECHKeyOptions{}))))
	_, _, err, _ := connectInMemory(client, server)
	var rejected *ECHRejectionError
	if !errors.As(err, &rejected) || !bytes.Equal(rejected.RetryConfigList, must(ECHConfigList(next))) || asked != 3 {
		t.Errorf("%v; asked %d times", err, asked)
	}
}

// Only a server that has taken the encrypted hello learns the identity of a client.
func TestECHRejectedShowsNoCertificate(t *testing.T) {
	for _, version := range bothVersions {
		client, server, _ := echPair(t)
		server.EncryptedClientHelloKeys, server.MaxVersion, server.ClientAuth = nil, version, RequestClientCert
		client.Certificates = []Certificate{testPKI().certs["ecdsa-p256"]}
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) {
			t.Error("the certificate is asked for")
			return &client.Certificates[0], nil
		}
		server.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
			t.Errorf("%s: the server was shown a certificate", VersionName(version))
			return nil
		}
		var rejected *ECHRejectionError
		if _, _, err, _ := connectInMemory(client, server); !errors.As(err, &rejected) {
			t.Errorf("%s: %v", VersionName(version), err)
		}
	}
}

// A key goes into a file and comes out of it, also one of OpenSSL's kind for ECDH.
func TestECHKeyFiles(t *testing.T) {
	key := must(GenerateECHKey(publicName, ECHKeyOptions{}))
	text := must(MarshalECHKey(key))
	next := must(GenerateECHKey(publicName, ECHKeyOptions{}))
	both := append(slices.Clone(text), must(MarshalECHKey(next))...)
	got, err := ParseECHKeys(both)
	if err != nil || len(got) != 2 || !bytes.Equal(got[0].Config, key.Config) || !bytes.Equal(got[1].PrivateKey, next.PrivateKey) || !got[0].SendAsRetry {
		t.Fatalf("%v, %v", got, err)
	}
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ec := must(private.ECDH())
	curve := configOf(key, func(c *wire.ECHConfig) { c.KEM, c.PublicKey = wire.KEMP256, ec.PublicKey().Bytes() })
	curve.PrivateKey = ec.Bytes()
	back, err := ParseECHKeys(must(MarshalECHKey(curve)))
	if err != nil || len(back) != 1 || !bytes.Equal(back[0].PrivateKey, curve.PrivateKey) {
		t.Errorf("%v, %v", back, err)
	}
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	pkcs8 := func(k any) []byte { return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(k))) }
	list := block("ECHCONFIG", must(ECHConfigList(key)))
	for name, text := range map[string][]byte{
		"there is no PRIVATE KEY": nil, "stands before its PRIVATE KEY": list,
		"does not belong to the ECHCONFIG": slices.Concat(pkcs8(private), list), "does not parse": slices.Concat(pkcs8(private), block("ECHCONFIG", []byte{1})),
		"cannot be used for Encrypted Client Hello": slices.Concat(block("PRIVATE KEY", []byte{1}), list),
		"it is a ed25519.PrivateKey":                slices.Concat(pkcs8(newKey("ed25519")), list),
	} {
		if _, err := ParseECHKeys(text); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := MarshalECHKey(EncryptedClientHelloKey{}); err == nil {
		t.Error("a key that is none is written")
	}
}

// A client that hides nothing sends what looks as if it did, and takes what a server
// answers to that for nothing.
func TestGREASEECH(t *testing.T) {
	client, server, _ := echPair(t)
	client.EncryptedClientHelloConfigList, client.GREASE = nil, true
	var seen hellos
	client.Trace = seen.hooks()
	for _, retry := range []bool{false, true} {
		if retry {
			client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
		}
		seen.outer = nil
		c, s := mustConnect(t, client, server)
		if c.ConnectionState().ECHAccepted || s.ConnectionState().ECHAccepted || len(seen.inner) != 0 {
			t.Error("a hello is said to be hidden")
		}
		var bodies [][]byte
		for _, m := range seen.outer {
			var e wire.ECHClientHello
			if found, err := m.Extensions.Read(wire.ExtEncryptedClientHello, e.Read); !found || err != nil || len(e.Enc) != 32 || len(e.Payload) < 144 {
				t.Errorf("%v, %v: %+v", found, err, e)
			}
			bodies = append(bodies, e.Append(nil))
		}
		if retry && (len(bodies) != 2 || !bytes.Equal(bodies[0], bodies[1])) {
			t.Error("the second hello has another one")
		}
		exchange(t, c, s)
	}
}

// The order is another for each connection, the same in a second hello, and ends with
// pre_shared_key.
func TestShuffleExtensions(t *testing.T) {
	client, server := retrying()
	client.ShuffleExtensions, client.ClientSessionCache = true, NewLRUClientSessionCache(1)
	orders := map[string]bool{}
	for range 8 {
		var seen hellos
		client.Trace = seen.hooks()
		c, s := mustConnect(t, client, server)
		exchange(t, c, s)
		if len(seen.outer) != 2 {
			t.Fatal(len(seen.outer), "hellos")
		}
		order := func(m *wire.ClientHello) (types []string) {
			for i, x := range m.Extensions {
				if x.Type == wire.ExtPreSharedKey && i != len(m.Extensions)-1 {
					t.Error("pre_shared_key is not the last")
				}
				if x.Type != wire.ExtCookie && x.Type != wire.ExtPreSharedKey {
					types = append(types, x.Type.String())
				}
			}
			return types
		}
		first := order(seen.outer[0])
		if !slices.Equal(first, order(seen.outer[1])) {
			t.Errorf("%v, and then %v", first, order(seen.outer[1]))
		}
		orders[strings.Join(first, " ")] = true
	}
	if len(orders) < 7 {
		t.Errorf("8 connections have %d orders", len(orders))
	}
}

// The key log has what opens the outer hello, by its random.
func TestECHKeyLog(t *testing.T) {
	client, server, key := echPair(t)
	var logs [2]bytes.Buffer
	client.KeyLogWriter, server.KeyLogWriter = &logs[0], &logs[1]
	var seen hellos
	client.Trace = seen.hooks()
	mustConnect(t, client, server)
	lines := func(b *bytes.Buffer) []string {
		l := strings.Split(strings.TrimSpace(b.String()), "\n")
		slices.Sort(l)
		return l
	}
	if a, b := lines(&logs[0]), lines(&logs[1]); !slices.Equal(a, b) {
		t.Errorf("the client logs\n%s\nand the server\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	hex := hex.EncodeToString
	if text := logs[0].String(); !strings.Contains(text, "ECH_SECRET "+hex(seen.outer[0].Random)+" ") || !strings.Contains(text, "ECH_CONFIG "+hex(seen.outer[0].Random)+" "+hex(key.Config)+"\n") ||
		!strings.Contains(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET "+hex(seen.inner[0].Random)) {
		t.Errorf("the log is\n%s", text)
	}
}

// A GetEncryptedClientHelloKeys that waits, for a vault say, holds up its own connection alone.
func TestASlowECHCallbackHoldsUpNobodyElse(t *testing.T) {
	client, server, key := echPair(t)
	server.EncryptedClientHelloKeys = nil
	entered, released := make(chan struct{}), make(chan struct{})
	var asked atomic.Int32
	server.GetEncryptedClientHelloKeys = func(*ClientHelloInfo) ([]EncryptedClientHelloKey, error) {
		if asked.Add(1) == 1 {
			close(entered)
			<-released
		}
		return []EncryptedClientHelloKey{key}, nil
	}
	slow := make(chan error, 1)
	go func() {
		_, _, err, _ := connectInMemory(client, server)
		slow <- err
	}()
	<-entered
	for range 3 {
		if c, _ := mustConnect(t, client, server); !c.ConnectionState().ECHAccepted {
			t.Error("the hello was not taken")
		}
	}
	close(released)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}
