package tls

import (
	"crypto"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

func init() {
	callbacks = append(callbacks,
		callback{"CertificateCompression.Compress", wire.Client, setCompress},
		callback{"CertificateCompression.Compress", wire.Server, setCompress},
		callback{"CertificateCompression.Decompress", wire.Client, setDecompress},
		callback{"CertificateCompression.Decompress", wire.Server, setDecompress},
		callback{"RawPublicKeys.Keys.PrivateKey", wire.Client, setRawKey},
		callback{"RawPublicKeys.Keys.PrivateKey", wire.Server, setRawKey},
		callback{"RawPublicKeys.Verify", wire.Client, setVerifyRawKey},
		callback{"RawPublicKeys.Verify", wire.Server, setVerifyRawKey},
		callback{"Delegation.Get", wire.Server, func(own, peer *Config, hit func()) {
			peer.Delegation.Accept = delegatedSchemes
			own.Delegation.Get = func(*Certificate) []*DelegatedCredential { hit(); return nil }
		}},
		callback{"PSK.ExternalServer", wire.Server, func(own, peer *Config, hit func()) {
			key := externalKey(1, crypto.SHA256)
			own.ClientAuth, peer.PSK.External = NoClientCert, []ExternalPSK{key}
			own.PSK.ExternalServer = func([]byte) (*ExternalPSK, error) { hit(); return &key, nil }
		}},
		// A panic in it refuses early data, and costs nothing else: see TestEarlyDataIsRefused.
		callback{"EarlyData.Replay", wire.Server, func(own, peer *Config, _ func()) {
			own.EarlyData = EarlyData{MaxBytes: 1, Protocols: []string{""}, Replay: session.NewRecorder(1, nil)}
		}},
	)
}

// compressions tells apart what is compressed: chains are compressed once for each algorithm.
var compressions atomic.Uint32

func setCompression(own, peer *Config, compress, decompress func()) {
	zlib := certcompress.Zlib()
	zlib.ID, zlib.Always = wire.CertificateCompression(0x4000+compressions.Add(1)), true
	mine := zlib
	mine.Compress = func(src []byte) ([]byte, error) { compress(); return zlib.Compress(src) }
	mine.Decompress = func(dst, src []byte) error { decompress(); return zlib.Decompress(dst, src) }
	own.CertificateCompression, peer.CertificateCompression = []certcompress.Algorithm{mine}, []certcompress.Algorithm{zlib}
}

func setCompress(own, peer *Config, hit func())   { setCompression(own, peer, hit, func() {}) }
func setDecompress(own, peer *Config, hit func()) { setCompression(own, peer, func() {}, hit) }

func setRawKey(own, peer *Config, hit func()) {
	key := bareKey("ecdsa-p256")
	key.PrivateKey = hitSigner{key.PrivateKey.(crypto.Signer), hit}
	own.RawPublicKeys.Keys = []Certificate{key}
	peer.RawPublicKeys.Pins = [][32]byte{pinOf(testPKI().certs["ecdsa-p256"])}
}

func setVerifyRawKey(own, peer *Config, hit func()) {
	peer.RawPublicKeys.Keys = []Certificate{bareKey("ecdsa-p256")}
	own.RawPublicKeys.Verify = func(PeerKey) error { hit(); return nil }
}
