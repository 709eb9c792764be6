package record

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// opensslRecords were sent by OpenSSL 3.0's s_client to its s_server: what
// crypto/tls cannot be made to send, and each MAC with either order of MAC and
// encryption. The keys are from its key log; the IV of TLS 1.0 is the end of the
// record before.
var opensslRecords = []struct {
	suite        wire.CipherSuite
	version      wire.Version
	etm          bool
	seq          uint64
	key, iv, mac string
	record       string
}{
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS12, true, 1,
		"e98ef69c6612462a50671f98a9be6168", "",
		"6e3a4b57990fd38e1cf00268ccd93fbc7896a0e5",
		"170303004422163c1bd04ce97eec6f99f55102a23587d2dee3fe64b36a887dd8809b7f4651d104907197f665047846ea0dc785ea1312d0184599574c17c831852f6ca6f794161c738c"},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, wire.TLS12, true, 1,
		"f81da096fe500a000d45b0d60451323c", "",
		"adf366e9fb0f6b885f97685727ec4c265b86f9db6b1e080a1b173fbee361656d",
		"17030300508296351730f7a55ade726bd8d9582a974203471d6bd3c1c6bd75e0553785f628c5e5a00556c65a322b79a420073f7827bf4ff6c7f023257de8d00531e00d3aa651a89f1f98e1ba337ce097dc77a06cac"},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, wire.TLS12, true, 1,
		"6f54308c4fdbafdb340dd90f82dc412fa2382f1f74f20e7aee69bbe12854c7e2", "",
		"d04575cf0346f90d34bb5129f847a46aeb48e535b2926027f8ff1f66b7b92a89da4fd071612084ea444e80cdc09d7926",
		"170303006018e66e56bfbe5c4c787ea11886c2bc72fcfeba222a050a9515b362692331130ec382d302450068416d6c2cf8837cc2494a07c16eac31d563bd2c2de53ab9a441cef2c80c26d50bde2bc28b9019e07bc360b947ab3c75c4cc4302424944b5a661"},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS12, false, 1,
		"6ba7ebacd8619ed9d9f2e0983085a77d", "",
		"1dedd64f5b0360da65c0c8df931f9c8d982f8bb2",
		"170303004049ece9191cc32a31e10d929a8cfce80942934e823d8ad16a9d8ba0b78418b759d2a0174d613a4678fa0dfe6130e33d48627671ca98e84513c8832803c7454200"},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, wire.TLS12, false, 1,
		"e22d0a4530fec33cad3beade081fff94", "",
		"bd6bfe89a1343d7dc33437d5c36ba5971e4fd4cdd418bdc50d3d33f0a8a6b4d0",
		"17030300504f9795d81a27ef9f1b2b39aff6261c74efa0df3da1b42097b076cfb3302bb68eb3d1224c1f51da8a947692b05839216697765e53fe850ea0f1b2a5c1f75a1ed40e0022a5b1272edc6f9c8a79fdda91be"},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, wire.TLS12, false, 1,
		"036f1ced2a08989deeb79cc69b0f331482bafdc79a7f001b1fa0f4f584dbb14c", "",
		"6e478651f06282f7e3464fa848250d62e02d176169f29848b5b09009400b0776505744c5765d319254b2f0672e95d8bf",
		"17030300604d06f23d923efeb11d51062825483ad38670e97f9138c7b3c7a258f46b21743d702835c3e6f87251df7d540e5919b71e2ee6886e9260ef59ead6f85ae68850ff63c8db1eb4361978fc19c48a58f8626bac9b03c4ee1bd89ee901b9e2d1deb0d4"},
	{wire.TLS_AES_256_GCM_SHA384, wire.TLS13, false, 0,
		"314733018951eb483d651f549d2b5d0b4321b56041e83f949e7ef9108bcc088c", "730ed838bffb1fb6374f9967",
		"",
		"170303002ce40196323b09a929ed9d02b9c370234526f08b71b588fd9b4597c83f9f2c832afe1df8f0ea09ad95b3073634"},
	{wire.TLS_CHACHA20_POLY1305_SHA256, wire.TLS13, false, 0,
		"916cbd98f8cd1caa0cc2611ef3dd787694991be15a026b1a28bac000e8fd8db0", "d9e26110e9f9c0f257219377",
		"",
		"170303002cc09b81625a4a0879a5401e5e037aff5da6b80af4c8edd699b31fad9424a8fe11960fc1cf88d2f8b3d38bd9ef"},
	{wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, wire.TLS12, false, 1,
		"862ad43055b63703e17e217e6bddf6b40deaa52a1c93be69ba38ec162c8ad645", "db7c0563da7b46c8dfe75f3a",
		"",
		"170303002b8af1223b95422980db98cd49b81b38c824f69d14d9633395e0a0971c3f7f6312241e7dc255c35e958f456d"},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, wire.TLS12, false, 1,
		"f6e0c1b10d8b89f0f4121088b6bc680c", "307c2fbe",
		"",
		"17030300330000000000000001648acabe8274a8b546404f43f6b53546e74f9d91a4cccb5d08e715c32729b176d641b42a715312695237e2"},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8, wire.TLS12, false, 1,
		"ac99045531f7a434da7519db7364fc81e899d1eef43238ede7bd3ac7de3601f5", "ca36db09",
		"",
		"170303002b00000000000000015a97f64c0b692d377ade6235777e484391828d746ff3bc1e4cde0c3209af39e228fa8d"},
	{wire.TLS_AES_128_CCM_SHA256, wire.TLS13, false, 0,
		"343dcb32bd3a14f75ed800d7eb6e7913", "2b86f23a60e13fc93c876ca3",
		"",
		"170303002c3b89390e82a584c98dc58e7706096303fc66a0c903b8ea20b5e7ca1617a280bfd6079b75537785b6028091ef"},
	{wire.TLS_AES_128_CCM_8_SHA256, wire.TLS13, false, 0,
		"bec0374fa5da5b685778403d395009fb", "abcc924b49be91eba3716fbc",
		"",
		"1703030024bebe76fb24e156d5a92c4ef271d6b7c06164dd43cffeff1eb533ba1b9360671cfc40c6f8"},
	{wire.TLS_RSA_WITH_NULL_SHA256, wire.TLS12, false, 1,
		"", "",
		"b21eda895b846524491a3ded637b1546a63ea33b5dadd82c25de93d75402d1be",
		"170303003b412076697472696e65206973206120676c61737320636173652e0af72fd450a282e1044e581d28f8c7dc1b2f039828aba0e491acb765b0a2867a41"},
	{wire.TLS_RSA_WITH_NULL_SHA, wire.TLS10, false, 1,
		"", "",
		"9618e452e00253db258258da532f36b85f3a1e22",
		"170301002f412076697472696e65206973206120676c61737320636173652e0a6f64bd7bd9742420313fb5754a5ed7a9671ac333"},
	{wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS10, true, 2,
		"33bb30deb5e7c8bbfae8158528d62eb6", "04bce700b6249b1fe5694c66337b1d5a",
		"775a441a3ad8600a6f421b4368189787613dc999",
		"1703010034d9d635a857d2cff571318b89cde39155eccdb2c7e238c987404253c020df12d2ad88a944c61b660c53a692ed2c7e51e2aa97922b"},
	{wire.TLS_RSA_WITH_AES_256_CBC_SHA, wire.TLS11, true, 1,
		"1691713693b934b69a4430a6068a8f9e90f76e4e6118adcfba43c88789db32ff", "",
		"8c78d47d2f6580a3abd264b35f7984b17bb2cf22",
		"17030200448a5b7146d4ffb32443ad50172d942488e4854d299b08750a3ca79320ddfa42f12b229be5547e59efbc925b422d274b9b44ea31482e9e58b185766d703680550885edb8cc"},
	{wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS10, false, 2,
		"a67b779dda0a98bf5e1956c54ef0a039", "144b05b77689b629fc58fa24876bdfa6",
		"db83c26f8082a5e450ba2336bb2497d6a2dc1421",
		"1703010030a33ee70afe105a46b3366665255df0a326615acda6f52956d2185aa1daf932528064ea35fcec0d4fc547534817f924ee"},
	{wire.TLS_RSA_WITH_AES_256_CBC_SHA, wire.TLS11, false, 1,
		"e5a1dd2403229c1a4bdc974fbb9af58bff133e47f761899baedf109892225c7d", "",
		"49e6a019cb9ef92913c4b5a9903ea2c4bd881267",
		"170302004043e813bec917dd9499e2e80eb8c44ae7c606e368dc32bceb55275efad06dbf32bfa6f55713ffa8f04d01616cbf8b284ddc61b562d16bceda8b50e80797bb1e6e"},
}

func TestOpenSSL(t *testing.T) {
	for _, v := range opensslRecords {
		s := suite.ByID(v.suite)
		p := Params{Version: v.version, Suite: s, Key: unhex(v.key), IV: unhex(v.iv), MAC: unhex(v.mac), EncryptThenMAC: v.etm}
		in := keyed(p)
		in.seq = v.seq
		typ, content, _, err := in.Open(unhex(v.record))
		if err != nil {
			t.Errorf("%v, encrypt-then-MAC %v: %v", s, v.etm, err)
			continue
		}
		wantContent(t, typ, wire.ContentApplicationData, content, []byte("A vitrine is a glass case.\n"))

		if s.Cipher.Block == nil || v.version == wire.TLS10 { // nothing is random
			out := keyed(p)
			out.seq = v.seq
			rec, err := out.Seal(nil, typ, min(v.version, wire.TLS12), content, 0)
			if err != nil {
				t.Fatal(err)
			}
			wantContent(t, 0, 0, rec, unhex(v.record))
		}
		p.EncryptThenMAC = !v.etm
		in = keyed(p)
		in.seq = v.seq
		if _, _, _, err = in.Open(unhex(v.record)); s.Cipher.Block != nil && err != errBadMAC {
			t.Errorf("%v opens in the wrong order of MAC and encryption: %v", s, err)
		}
	}
}
