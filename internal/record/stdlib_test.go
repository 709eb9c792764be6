package record

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// TestRelay puts a relay between a crypto/tls client and server. The relay takes
// the keys from the key log, opens every record, seals it again, and sends on what
// it sealed: both our directions are checked against another implementation.
func TestRelay(t *testing.T) {
	for _, s := range suite.All() {
		for _, v := range versions[1:] { // crypto/tls has no SSL 3.0
			if s.Allows(v) && knownToStdlib(s) { // for the others see the known answers
				t.Run(fmt.Sprint(v, " ", s), func(t *testing.T) { t.Parallel(); relayed(t, s, v) })
			}
		}
	}
}

// knownToStdlib reports that crypto/tls has s and can be told to use it.
func knownToStdlib(s *suite.Suite) bool {
	if s.Min == wire.TLS13 {
		return s.ID == wire.TLS_AES_128_GCM_SHA256 // its first choice, and not ours to make
	}
	for _, known := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if known.ID == uint16(s.ID) {
			return true
		}
	}
	return false
}

func relayed(t *testing.T, s *suite.Suite, v wire.Version) {
	log := &keyLog{}
	config := &tls.Config{
		Certificates: []tls.Certificate{selfSigned(t, s.Auth)}, InsecureSkipVerify: true, KeyLogWriter: log,
		CipherSuites: []uint16{uint16(s.ID)}, MinVersion: uint16(v), MaxVersion: uint16(v),
	}
	clientEnd, relayClient := net.Pipe()
	serverEnd, relayServer := net.Pipe()
	defer func() {
		for _, c := range []net.Conn{clientEnd, relayClient, serverEnd, relayServer} {
			c.Close()
		}
	}()
	r := &relay{t: t, suite: s, version: v, log: log}
	go r.pump(wire.Client, relayServer, relayClient)
	go r.pump(wire.Server, relayClient, relayServer)

	client, server := tls.Client(clientEnd, config), tls.Server(serverEnd, config)
	go io.Copy(server, server) // echo
	message := bytesOf("message", 40000)
	go client.Write(message)
	echo := make([]byte, len(message))
	if _, err := io.ReadFull(client, echo); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(echo, message) {
		t.Fatal("the echo is not the message")
	}
	if got := client.ConnectionState().CipherSuite; got != uint16(s.ID) {
		t.Fatalf("crypto/tls took %#x", got)
	}
	if n := r.protected.Load(); n < 8 { // Finished and 40000 bytes, both ways
		t.Fatalf("only %d records were opened with keys", n)
	}
}

func selfSigned(t *testing.T, auth suite.Auth) tls.Certificate {
	var key crypto.Signer
	var err error
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); auth == suite.AuthRSA {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// keyLog holds the secrets that both ends log, by label.
type keyLog struct {
	mu      sync.Mutex
	secrets map[string][]byte
	// randoms are the hellos' random values, the client's and the server's.
	randoms [2][]byte
}

func (l *keyLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.secrets == nil {
		l.secrets = map[string][]byte{}
	}
	f := strings.Fields(string(line))
	secret, err := hex.DecodeString(f[2])
	l.secrets[f[0]] = secret
	return len(line), err
}

func (l *keyLog) get(label string) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.secrets[label]
}

func (l *keyLog) sawHello(from wire.Role, random []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.randoms[from-wire.Client] = random
}

type relay struct {
	t       *testing.T
	suite   *suite.Suite
	version wire.Version
	log     *keyLog
	// protected counts the records that were opened with keys.
	protected atomic.Int32
}

// pump relays the records that from sends until a side closes or a record does
// not open; then it closes both.
func (r *relay) pump(from wire.Role, to, source net.Conn) {
	defer to.Close()
	defer source.Close()
	var in, out Half
	for {
		rec, err := readRecord(source)
		if err != nil {
			return
		}
		typ := ParseHeader(rec).Type
		if in.Epoch() == 0 && typ == wire.ContentHandshake && in.Seq() == 0 {
			r.log.sawHello(from, bytes.Clone(rec[HeaderLen+6:][:32]))
		}
		if r.suite.Min == wire.TLS13 && typ == wire.ContentApplicationData && in.Epoch() == 0 {
			r.setKeys13(&in, &out, from, "_HANDSHAKE_TRAFFIC_SECRET")
		}
		if r.suite.Min != wire.TLS13 || typ != wire.ContentChangeCipherSpec {
			if rec, typ = r.again(&in, &out, rec); rec == nil {
				return
			}
		}
		if _, err := to.Write(rec); err != nil {
			return
		}
		if typ == wire.ContentChangeCipherSpec && r.suite.Min != wire.TLS13 {
			p := r.keys12(from)
			in.SetKeys(p)
			out.SetKeys(p)
		}
		if typ == finished13 {
			r.setKeys13(&in, &out, from, "_TRAFFIC_SECRET_0")
		}
	}
}

// finished13 stands for a handshake record with Finished under TLS 1.3.
const finished13 wire.ContentType = 255

// again opens rec and seals it again; nil if that fails.
func (r *relay) again(in, out *Half, rec []byte) ([]byte, wire.ContentType) {
	original := bytes.Clone(rec)
	typ, content, padding, err := in.Open(rec)
	if err != nil {
		r.t.Errorf("opening %v %d: %v", ParseHeader(rec), in.Seq(), err)
		return nil, 0
	}
	if in.Epoch() > 0 {
		r.protected.Add(1)
	}
	sealed, err := out.Seal(nil, typ, ParseHeader(original).Version, content, padding)
	if err != nil {
		r.t.Error(err)
	}
	random := r.suite.Cipher.Block != nil && r.version >= wire.TLS11 // the IV
	if !random && !bytes.Equal(sealed, original) {
		r.t.Errorf("crypto/tls sealed %x\nwe sealed %x", original, sealed)
	}
	if r.suite.Min == wire.TLS13 && in.Epoch() > 0 && typ == wire.ContentHandshake && content[0] == byte(wire.TypeFinished) {
		typ = finished13
	}
	return sealed, typ
}

func readRecord(r io.Reader) ([]byte, error) {
	rec := make([]byte, HeaderLen, HeaderLen+MaxCiphertext12)
	if _, err := io.ReadFull(r, rec); err != nil {
		return nil, err
	}
	rec = rec[:HeaderLen+ParseHeader(rec).Length]
	_, err := io.ReadFull(r, rec[HeaderLen:])
	return rec, err
}

func (r *relay) setKeys13(in, out *Half, from wire.Role, label string) {
	secret := r.log.get(strings.ToUpper(from.String()) + label)
	p := Params{Version: wire.TLS13, Suite: r.suite, Key: expand13(r.suite, secret, "key", r.suite.Cipher.KeyLen), IV: expand13(r.suite, secret, "iv", 12)}
	in.SetKeys(p)
	out.SetKeys(p)
}

// expand13 is HKDF-Expand-Label with no context. RFC 8446 §7.1.
func expand13(s *suite.Suite, secret []byte, label string, n int) []byte {
	info := fmt.Sprintf("%c%c%ctls13 %s%c", 0, n, len("tls13 ")+len(label), label, 0)
	out, err := hkdf.Expand(s.Hash.New, secret, info, n)
	if err != nil {
		panic(err)
	}
	return out
}

func (r *relay) keys12(from wire.Role) Params {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return keys12(r.suite, r.version, r.log.secrets["CLIENT_RANDOM"], r.log.randoms, from)
}

// expand is P_hash, 400 bytes of it. RFC 5246 §5.
func expand(h *suite.Hash, secret, seed []byte) (out []byte) {
	mac := func(parts ...[]byte) []byte { return hmacOf(h.New, secret, parts...) }
	for a := mac(seed); len(out) < 400; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:400]
}

// keys12 cuts the key block. RFC 5246 §6.3, §5; RFC 2246 §6.3, §5.
func keys12(s *suite.Suite, v wire.Version, master []byte, randoms [2][]byte, from wire.Role) Params {
	seed := append(append([]byte("key expansion"), randoms[1]...), randoms[0]...)
	block := expand(s.Hash, master, seed)
	if v < wire.TLS12 {
		block = expand(suite.MD5, master[:len(master)/2], seed)
		subtle.XORBytes(block, block, expand(suite.SHA1, master[len(master)/2:], seed))
	}
	ivLen := s.Cipher.FixedIVLen
	if v == wire.TLS10 {
		ivLen = s.Cipher.BlockLen
	}
	macLen := 0
	if s.MAC != nil {
		macLen = s.MAC.Len
	}
	cut := func(n int) []byte {
		mine := block[n*int(from-wire.Client):][:n]
		block = block[2*n:]
		return mine
	}
	p := Params{Version: v, Suite: s}
	p.MAC, p.Key, p.IV = cut(macLen), cut(s.Cipher.KeyLen), cut(ivLen)
	return p
}

func hmacOf(h func() hash.Hash, key []byte, parts ...[]byte) []byte {
	m := hmac.New(h, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}
