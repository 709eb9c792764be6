package wire

import "testing"

func TestMaxFragmentLength(t *testing.T) {
	for code, size := range map[MaxFragmentLength]int{1: 512, 2: 1024, 3: 2048, 4: 4096, 0: 0, 5: 0, 255: 0} {
		if got := code.Size(); got != size {
			t.Errorf("%v means %d bytes, want %d", code, got, size)
		}
		if got := MaxFragmentLengthOf(size); size != 0 && got != code {
			t.Errorf("%d bytes have the code %v, want %v", size, got, code)
		}
	}
	for _, size := range []int{-1, 0, 1, 256, 511, 513, 8192, 1 << 14} {
		if got := MaxFragmentLengthOf(size); got != 0 {
			t.Errorf("%d bytes have the code %v", size, got)
		}
	}
}

// What OpenSSL asks for with -maxfraglen 1024, and grants.
func TestMaxFragmentLengthOfOpenSSL(t *testing.T) {
	const name = "openssl-tls12-max-fragment"
	for _, x := range []Extensions{
		decode[*ClientHello](t, "ClientHello", name).Extensions,
		decode[*ServerHello](t, "ServerHello", name).Extensions,
	} {
		var m MaxFragmentLength
		found, err := x.Read(ExtMaxFragmentLength, func(r *Reader) { m = ReadMaxFragmentLength(r) })
		if !found || err != nil || m.Size() != 1024 {
			t.Errorf("%v, %v, %v", found, err, m)
		}
	}
}

func TestRecordSizeLimitOfNSS(t *testing.T) {
	var limit uint16
	found, err := decode[*ClientHello](t, "ClientHello", "nss").Extensions.Read(ExtRecordSizeLimit,
		func(r *Reader) { limit = ReadRecordSizeLimit(r) })
	if !found || err != nil || limit != 0x4001 {
		t.Errorf("%v, %v, %d", found, err, limit)
	}
}
