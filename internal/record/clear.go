package record

import "github.com/vitrine-tls/vitrine/internal/suite"

// inClear is epoch 0: the fragment is the content. RFC 8446 §5.1.
type inClear struct{}

func sealClear(*Half) (ciphers, error) { return inClear{}, nil }
func openClear(*Half) (ciphers, error) { return inClear{}, nil }

func noOverhead(*suite.Suite) int { return 0 }

func (inClear) seal(dst []byte, hdr Header, _ uint64, content []byte, _ int) ([]byte, error) {
	hdr.Length = len(content)
	return append(AppendHeader(dst, hdr), content...), nil
}

func (inClear) open(_, rec []byte, _ uint64) (opened, error) {
	return opened{typ: ParseHeader(rec).Type, content: rec[HeaderLen:]}, nil
}
