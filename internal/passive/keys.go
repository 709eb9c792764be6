package passive

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"sync"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/wire"
)

// The labels of a key log. RFC 9850 §2.
const (
	logMaster          = "CLIENT_RANDOM"
	logPremaster       = "PMS_CLIENT_RANDOM" // as some programs write, of the premaster
	logRSA             = "RSA"               // the same, found by the encrypted premaster
	logEarly           = "CLIENT_EARLY_TRAFFIC_SECRET"
	logClientHandshake = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
	logServerHandshake = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
	logClientTraffic   = "CLIENT_TRAFFIC_SECRET_0"
	logServerTraffic   = "SERVER_TRAFFIC_SECRET_0"
	logEarlyExporter   = "EARLY_EXPORTER_SECRET"
	logExporter        = "EXPORTER_SECRET"
	logECHSecret       = "ECH_SECRET" // these two by the random of the outer hello. RFC 9850 §2.3
	logECHConfig       = "ECH_CONFIG"
)

// labels are those that are kept, by their name in the log, with the one that they
// stand for: programs disagree about two of them.
var labels = map[string]string{
	logMaster: logMaster, logPremaster: logPremaster, logRSA: logRSA, logEarly: logEarly,
	logClientHandshake: logClientHandshake, logServerHandshake: logServerHandshake,
	logECHSecret: logECHSecret, logECHConfig: logECHConfig, logClientTraffic: logClientTraffic, logServerTraffic: logServerTraffic,
	logExporter: logExporter, "EXPORTER_MASTER_SECRET": logExporter,
	logEarlyExporter: logEarlyExporter, "EARLY_EXPORTER_MASTER_SECRET": logEarlyExporter,
}

// Keys is what a listener knows besides the bytes. The zero value knows nothing. It is
// safe for concurrent use, and may grow while Listeners ask it.
type Keys struct {
	// More, where it is set, is called without locks where a secret is missing, and
	// reports that there may be more now: what follows a growing key log reads on.
	// Set it before the first Listener.
	More func() bool

	mu      sync.RWMutex
	secrets map[[randomLen]byte][]logged
	rsa     []crypto.Decrypter
	inflate []certcompress.Algorithm
	psks    map[string][]byte
}

const randomLen = 32

// logged is one line of a key log.
type logged struct {
	label string
	value []byte
}

// The longest values of lines, in bytes.
const (
	maxSecret = 64
	maxConfig = 1 << 10 // an ECHConfig
)

// AddLine takes in one line of a key log in NSS's format, and reports that it was one
// with a secret. Comments, empty lines and labels of no use here are not. Of two lines
// for the same secret the later one holds. RFC 9850 §2.
func (k *Keys) AddLine(line []byte) bool {
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return false
	}
	label, known := labels[string(fields[0])]
	var random [randomLen]byte
	most := maxSecret
	if label == logECHConfig {
		most = maxConfig
	}
	if !known || hex.DecodedLen(len(fields[1])) > randomLen || hex.DecodedLen(len(fields[2])) > most {
		return false
	}
	n, err := hex.Decode(random[:], fields[1])
	if err != nil || n != randomLen && (label != logRSA || n != rsaPrefixLen) {
		return false
	}
	value := make([]byte, hex.DecodedLen(len(fields[2])))
	if _, err := hex.Decode(value, fields[2]); err != nil || len(value) == 0 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.secrets == nil {
		k.secrets = map[[randomLen]byte][]logged{}
	}
	all := k.secrets[random]
	for i := range all {
		if all[i].label == label {
			all[i].value = value
			return true
		}
	}
	k.secrets[random] = append(all, logged{label, value})
	return true
}

// rsaPrefixLen is how many bytes of the encrypted premaster a line RSA is found by.
const rsaPrefixLen = 8

// AddRSA adds an RSA private key, which opens what was agreed on with RSA and RSA_PSK.
func (k *Keys) AddRSA(key crypto.Decrypter) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rsa = append(k.rsa, key)
}

// AddCompression adds ways to inflate certificates, beside zlib.
func (k *Keys) AddCompression(a ...certcompress.Algorithm) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.inflate = append(k.inflate, a...)
}

// compression is the way of that number, and whether there is one. k may be nil.
func (k *Keys) compression(id wire.CertificateCompression) (certcompress.Algorithm, bool) {
	all := []certcompress.Algorithm{certcompress.Zlib()}
	if k != nil {
		k.mu.RLock()
		all = append(all, k.inflate...)
		k.mu.RUnlock()
	}
	for _, a := range all {
		if a.ID == id {
			return a, true
		}
	}
	return certcompress.Algorithm{}, false
}

// AddPSK adds the pre-shared key of an identity. It is copied.
func (k *Keys) AddPSK(identity string, key []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.psks == nil {
		k.psks = map[string][]byte{}
	}
	k.psks[identity] = bytes.Clone(key)
}

// secret finds a secret of the log by the client's random, nil where there is none. A
// shorter random is that of a line RSA.
func (k *Keys) secret(label string, random []byte) []byte {
	if k == nil || len(random) == 0 || len(random) > randomLen {
		return nil
	}
	value := k.find(label, random)
	if value == nil && k.More != nil && k.More() {
		value = k.find(label, random)
	}
	return value
}

func (k *Keys) find(label string, random []byte) []byte {
	var key [randomLen]byte
	copy(key[:], random)
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, l := range k.secrets[key] {
		if l.label == label {
			return l.value
		}
	}
	return nil
}

// psk is the key of an identity, nil where there is none.
func (k *Keys) psk(identity []byte) []byte {
	if k == nil {
		return nil
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.psks[string(identity)]
}
