package record

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// knownRecords are the first three application data records of an epoch, with
// knownContents. They were made with Python: the ciphers are OpenSSL's and hmac is
// its own, the MAC of SSL 3.0, padding and framing are written down after RFC 6101
// §5.2.3, RFC 2246 §6.2.3, RFC 4346 §6.2.3 and RFC 7366 §3. The secrets are those
// of newCase.
var knownRecords = []struct {
	version wire.Version
	cipher  *suite.Cipher
	mac     *suite.MAC
	etm     bool
	records [3]string
}{
	{wire.SSL30, cipherNull, macMD5, false, [3]string{
		"170300001178e8d9e26e85d4ad6c384dab96bbd78a11",
		"170300002b412076697472696e65206973206120676c61737320636173652e0a228c5e3a45b7e07db57b0c783266edf5",
		"1703000010b47bdda4ed3bf5a8d0ddf2fe0da19c19"}},
	{wire.SSL30, cipherNull, macSHA1, false, [3]string{
		"170300001578839e6404b9434b596879116f7fc1a64be332fab3",
		"170300002f412076697472696e65206973206120676c61737320636173652e0a4b3f6073f0e38545d8bb8b1d329d2a77dfc35daf",
		"1703000014c6e8e2799fad08fe6e39a0db4d23d72ea57ce2d0"}},
	{wire.SSL30, cipherRC4, macMD5, false, [3]string{
		"1703000011a32ee2ebd8eb7af68a01cdee35aca4b548",
		"170300002bd22ec6b8f17720ab02c9e66fc58978835bbe821bde93cd9ab2aac349aba6dd48e04a3656e00b4d3e5eae16",
		"17030000103592236a29832a9bad02c552aa263edc"}},
	{wire.SSL30, cipherRC4, macSHA1, false, [3]string{
		"1703000015a345a56db2d7ed10bf51f954cc68b29912703c4a62",
		"170300002fc4253fac139be67280c8319717bed10f9291df9af7e7a81842d6ed4668ca3813788270d483c8feb374d4b91b7b829c",
		"1703000014bb37d5d5382aaa3b36111f177c7f9a06e79c1eb1"}},
	{wire.SSL30, cipher3DES, macSHA1, false, [3]string{
		"17030000184a10ce26ce54f17bcb79d6d1d597c13cf1afd9afa32987bd",
		"1703000030362147c372894c1afa3c6d485e38770c8ed43212d3a5a8be86d08765fb886f0d1153e35e7e7b4c4c8bdc3903d603e877",
		"170300001837e0f4de7b3a3394ca4a5f8022ecd581497532e3560acf4d"}},
	{wire.SSL30, cipherDES, macMD5, false, [3]string{
		"17030000180814d7b6a395ba74a279da89c2d2d54c4085f5cd97df57b8",
		"17030000306aabfdadc2cd256d4e6bb4589ea941cee194648ddcc088c55257706757f2fb072bfc74b51d691603896770cef7010752",
		"1703000018dd8210fba5fd6a216b7e4ca84aedf56d39ab349899f48023"}},
	{wire.SSL30, cipherAES, macSHA1, false, [3]string{
		"1703000020b7e35c7c5198a715bee3275cf9e0029f24b65e624f09a6987d372e9479e93ea6",
		"170300003020c0c9a96cbf00f0839b1b7e6cd39eb6d7dab3b7f93f08988c112a729f05bbe5f476bc84347a688083a01ca250632f3f",
		"17030000201f2a9472ecf16565f20865d14cb100e5f29415a8528114d60d7f4c4151ac3cf6"}},
	{wire.TLS10, cipherNull, macMD5, false, [3]string{
		"170301001178290a9aabb09dd9d1dcad6f7c82434ed8",
		"170301002b412076697472696e65206973206120676c61737320636173652e0a2ca2bcecdc1c6f9f17145c3a1d7d9270",
		"1703010010e5af792ce4f600335f8381953d1a5009"}},
	{wire.TLS10, cipherRC4, macMD5, false, [3]string{
		"1703010011a3ef31931dde338237e52d2adf95307181",
		"170301002bd22ec6b8f17720ab02c9e66fc58978835bbe821bde93cd9ab2aac34785440bd14bc5d4f48f5b0f1145d193",
		"1703010010644687e2204edf00225cb6399a9df2cc"}},
	{wire.TLS10, cipherRC4, macSHA1, false, [3]string{
		"1703010015a3bf4d8115c2b35bcebe683b27ea5fa75baa657222",
		"170301002fc4253fac139be67280c8319717bed10f9291df9af7e7a81842d6ed78c5309d1bd46d1663af68154f4f6faa2ab61612",
		"1703010014dcd662214f04fa88f382a5fc0c34b8689647aa4e"}},
	{wire.TLS10, cipher3DES, macSHA1, false, [3]string{
		"1703010018aa5abc7ab9d56ded20c5b4713bfd9b19f945d656ba2e813a",
		"1703010030c23a1d433a6af376cb9ea99f6274507dcef0ebc3091c8abc4ba763b6c5fa0ef294c709fceffd47540aa268df14efaf1d",
		"17030100182595bbe44e80fdde87c4736e4a9fe6f4d82f302c4295450d"}},
	{wire.TLS10, cipher3DES, macSHA1, true, [3]string{
		"170301001c5d55f07e77f71b096eee7d37524bc601ab3cc2518bdf9fb070d2deda",
		"170301003446df4701ca9547bd37842b8d62bfe8b365568b2cfb9ffb44c875073f12bc38debb4ddbe0161c4acf443846a0bcb0acbdb6492906",
		"170301001c1bde264cdf33e69ce757a6c8c857672f5d65d43ed3cecfebc9c7bc33"}},
	{wire.TLS10, cipherAES, macSHA1, false, [3]string{
		"1703010020b83fa614bc1167b9e23c441b3e5622c8803b9d78babf0696f3a182acc746becb",
		"170301003095e5ee60431111651ad9a93ba1344aa37ae2fec5c6d045866fae32e00c542a0e49f28de2d0ecc376a49046e9fbe7f113",
		"17030100207a9c0c85203427b79a623a90d188635da0d5537cf85659e376bda83edd4a3ddf"}},
	{wire.TLS10, cipherAES, macSHA1, true, [3]string{
		"1703010024c3ede57214e6bfe87dbb057041174ed4b3a1bc6f63f2e548160a0934ed23d49e32c5791b",
		"1703010034648a2f62b52734cb40fef1d3ecd19d204a9b1959de386f3aad38381c7c522addea6befa4cd14fc59e645ceda413b907179f1ff51",
		"170301002448ecd76893354c139957e7aa35f829f64dc0904b727476097659a3c7ff209dc0d7096cd3"}},
	{wire.TLS11, cipherNull, macSHA1, false, [3]string{
		"170302001578da188fb35f1677fe1a3fba35618b13fde4f81179",
		"170302002f412076697472696e65206973206120676c61737320636173652e0a1f5352ac514634a1765ae21b55aaf87b5b03059f",
		"1703020014072a9306a99f42c6a2da929f19ca134faf67a295"}},
	{wire.TLS11, cipherRC4, macSHA1, false, [3]string{
		"1703020015a31c23860531b82c1823bfff9676f82ca477f6a1a8",
		"170302002fc4253fac139be67280c8319717bed10f9291df9af7e7a81842d6ed1204f8e7b2dd33947a62a1f8d44306b59fbbdaac",
		"17030200147af5a4aa0e18e003faf22d5328965e67ed875ef4"}},
	{wire.TLS11, cipher3DES, macSHA1, false, [3]string{
		"1703020020c709663b418f9e6e5f33b2d9204a2daa466dbf8a780375fc2a01ef14da9fb5a8",
		"1703020038794f3f4d29aba753e56a51851c76b966c988814459b927f56410b1c49470bad02ef157f1bdbd0e760a67be781107b577f2ceda2ffc60bc05",
		"17030200203fe9648af6483cfba74a5c0976c940aa2c832d504969a19b3253a3d1e50a3a6b"}},
	{wire.TLS11, cipherAES, macMD5, false, [3]string{
		"1703020030c709663b418f9e6e42272cee7ac5d28636b7e019339831977d6f5644b8b4fe9228e8a3e5799d908a2eff0776c82bf5ba",
		"1703020040794f3f4d29aba753a2290ca9e6d8b85e2b091db5d06374a703eca0a4e41b5f7e3f6cbc1d7ed2514c2f0457c84fa43a7284ee6ae0a32fc107df3119858aa0c548",
		"17030200303fe9648af6483cfbd7a8b9ef36a06718279b0e8efab13a0eacca12b3abb132350c109cd35a8603ac20813bfc4c277e16"}},
	{wire.TLS11, cipherDES, macSHA1, true, [3]string{
		"1703020024c709663b418f9e6ee8ad75aa6efd518142260078ebd19ca826dd93aaf4403b92be32713c",
		"170302003c794f3f4d29aba7538ce1f6392197cd616916b106b2778cce1f4facdfe68bc5d6b0f00774678afa661cc56ca470d100301c57b191d1c053d21f4d8532",
		"17030200243fe9648af6483cfb6ef7c46a71125ba28b8284b5ef1a87ce2f7b0fdd72f9dc1c5a040bf9"}},
	{wire.TLS12, cipherNull, macSHA256, false, [3]string{
		"1703030021788e022e32eeebf5408118fa61751a679b9cfb7604e0cfad638d0ec26ab97acb90",
		"170303003b412076697472696e65206973206120676c61737320636173652e0a02b93478aa355c42f0248aa1ae8726f3c9076c9d55e5fcb86da10d298c29058f",
		"17030300208261f34ae4bcc34bd2e6a3c7132a60bcbd6b584a0b57e23af345bad4cfbeced1"}},
	{wire.TLS12, cipherRC4, macMD5, false, [3]string{
		"1703030011a33664f8957a2757bc333383aad09271c2",
		"170303002bd22ec6b8f17720ab02c9e66fc58978835bbe821bde93cd9ab2aac3e63868c4fb434b0a282e285f46119f75",
		"1703030010e80bbe279f9c44cca605e4627147acf9"}},
	{wire.TLS12, cipher3DES, macSHA1, false, [3]string{
		"1703030020c709663b418f9e6e65ef1f8a6063ca1e036a960783ffe4e4c4cf20879994592d",
		"1703030038794f3f4d29aba753e56a51851c76b966c988814459b927f56410b1c49470bad0533520433b99e5857aa919ad502845a8cf232c5d74d1718e",
		"17030300203fe9648af6483cfb3ce7f9481493f2d1549df80c84364dd85dfa6741ce527049"}},
	{wire.TLS12, cipher3DES, macSHA1, true, [3]string{
		"1703030024c709663b418f9e6ec63f8c57d212ff3b46965ea7703cc5bafb7b74b0d8b70dbf7a836c4d",
		"170303003c794f3f4d29aba753e56a51851c76b966c988814459b927f56410b1c49470bad0ccaa78ae8fbd562b33c6074011e2be70bd0eed0fa70c293394a0dde9",
		"17030300243fe9648af6483cfb89fcadfe9a24e98689238d4343f87ca52b74b325386b28d452376d76"}},
}

var knownContents = [3]string{"x", "A vitrine is a glass case.\n", ""}

func TestKnownRecords(t *testing.T) {
	for _, v := range knownRecords {
		for _, idle := range []bool{false, true} {
			c := newCase(legacySuite(v.cipher, v.mac, v.version), v.version, v.etm)
			out, in := keyed(c.p), keyed(c.p)
			for i, want := range v.records {
				typ, content, _, err := in.Open(unhex(want))
				if err != nil {
					t.Fatalf("%s, record %d: %v", c.name, i, err)
				}
				wantContent(t, typ, wire.ContentApplicationData, content, []byte(knownContents[i]))
				if v.cipher.Block == nil || v.version <= wire.TLS10 { // nothing is random
					rec, err := out.Seal(nil, typ, v.version, content, 0)
					if err != nil || string(rec) != string(unhex(want)) {
						t.Errorf("%s, record %d: sealed %x (%v), want %s", c.name, i, rec, err, want)
					}
				}
				if idle {
					out.Idle()
					in.Idle()
				}
			}
		}
	}
}
