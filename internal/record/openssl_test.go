package record

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// opensslRecords were sent by OpenSSL 3.0's s_client to its s_server: what
// crypto/tls cannot be made to send, and each MAC with either order of MAC and
// encryption. The keys are from its key log.
var opensslRecords = []struct {
	suite        wire.CipherSuite
	etm          bool
	seq          uint64
	key, iv, mac string
	record       string
}{
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, true, 1,
		"e98ef69c6612462a50671f98a9be6168", "",
		"6e3a4b57990fd38e1cf00268ccd93fbc7896a0e5",
		"170303004422163c1bd04ce97eec6f99f55102a23587d2dee3fe64b36a887dd8809b7f4651d104907197f665047846ea0dc785ea1312d0184599574c17c831852f6ca6f794161c738c"},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, true, 1,
		"f81da096fe500a000d45b0d60451323c", "",
		"adf366e9fb0f6b885f97685727ec4c265b86f9db6b1e080a1b173fbee361656d",
		"17030300508296351730f7a55ade726bd8d9582a974203471d6bd3c1c6bd75e0553785f628c5e5a00556c65a322b79a420073f7827bf4ff6c7f023257de8d00531e00d3aa651a89f1f98e1ba337ce097dc77a06cac"},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, true, 1,
		"6f54308c4fdbafdb340dd90f82dc412fa2382f1f74f20e7aee69bbe12854c7e2", "",
		"d04575cf0346f90d34bb5129f847a46aeb48e535b2926027f8ff1f66b7b92a89da4fd071612084ea444e80cdc09d7926",
		"170303006018e66e56bfbe5c4c787ea11886c2bc72fcfeba222a050a9515b362692331130ec382d302450068416d6c2cf8837cc2494a07c16eac31d563bd2c2de53ab9a441cef2c80c26d50bde2bc28b9019e07bc360b947ab3c75c4cc4302424944b5a661"},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, false, 1,
		"6ba7ebacd8619ed9d9f2e0983085a77d", "",
		"1dedd64f5b0360da65c0c8df931f9c8d982f8bb2",
		"170303004049ece9191cc32a31e10d929a8cfce80942934e823d8ad16a9d8ba0b78418b759d2a0174d613a4678fa0dfe6130e33d48627671ca98e84513c8832803c7454200"},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, false, 1,
		"e22d0a4530fec33cad3beade081fff94", "",
		"bd6bfe89a1343d7dc33437d5c36ba5971e4fd4cdd418bdc50d3d33f0a8a6b4d0",
		"17030300504f9795d81a27ef9f1b2b39aff6261c74efa0df3da1b42097b076cfb3302bb68eb3d1224c1f51da8a947692b05839216697765e53fe850ea0f1b2a5c1f75a1ed40e0022a5b1272edc6f9c8a79fdda91be"},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, false, 1,
		"036f1ced2a08989deeb79cc69b0f331482bafdc79a7f001b1fa0f4f584dbb14c", "",
		"6e478651f06282f7e3464fa848250d62e02d176169f29848b5b09009400b0776505744c5765d319254b2f0672e95d8bf",
		"17030300604d06f23d923efeb11d51062825483ad38670e97f9138c7b3c7a258f46b21743d702835c3e6f87251df7d540e5919b71e2ee6886e9260ef59ead6f85ae68850ff63c8db1eb4361978fc19c48a58f8626bac9b03c4ee1bd89ee901b9e2d1deb0d4"},
	{wire.TLS_AES_256_GCM_SHA384, false, 0,
		"314733018951eb483d651f549d2b5d0b4321b56041e83f949e7ef9108bcc088c", "730ed838bffb1fb6374f9967",
		"",
		"170303002ce40196323b09a929ed9d02b9c370234526f08b71b588fd9b4597c83f9f2c832afe1df8f0ea09ad95b3073634"},
	{wire.TLS_CHACHA20_POLY1305_SHA256, false, 0,
		"916cbd98f8cd1caa0cc2611ef3dd787694991be15a026b1a28bac000e8fd8db0", "d9e26110e9f9c0f257219377",
		"",
		"170303002cc09b81625a4a0879a5401e5e037aff5da6b80af4c8edd699b31fad9424a8fe11960fc1cf88d2f8b3d38bd9ef"},
	{wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, false, 1,
		"862ad43055b63703e17e217e6bddf6b40deaa52a1c93be69ba38ec162c8ad645", "db7c0563da7b46c8dfe75f3a",
		"",
		"170303002b8af1223b95422980db98cd49b81b38c824f69d14d9633395e0a0971c3f7f6312241e7dc255c35e958f456d"},
}

func TestOpenSSL(t *testing.T) {
	for _, v := range opensslRecords {
		s := suite.ByID(v.suite)
		p := Params{Version: s.Max, Suite: s, Key: unhex(v.key), IV: unhex(v.iv), MAC: unhex(v.mac), EncryptThenMAC: v.etm}
		in := keyed(p)
		in.seq = v.seq
		typ, content, _, err := in.Open(unhex(v.record))
		if err != nil {
			t.Errorf("%v, encrypt-then-MAC %v: %v", s, v.etm, err)
			continue
		}
		wantContent(t, typ, wire.ContentApplicationData, content, []byte("A vitrine is a glass case.\n"))

		if s.IsAEAD() {
			out := keyed(p)
			out.seq = v.seq
			wantContent(t, 0, 0, mustSeal(t, out, typ, content, 0), unhex(v.record))
		}
		p.EncryptThenMAC = !v.etm
		in = keyed(p)
		in.seq = v.seq
		if _, _, _, err = in.Open(unhex(v.record)); s.MAC != nil && err != errBadMAC {
			t.Errorf("%v opens in the wrong order of MAC and encryption: %v", s, err)
		}
	}
}
