// Package cpu says which of the instructions that internal/primitive is written
// for may be used: the processor has them, the operating system saves their
// registers, and nobody switched them off.
//
// # How to switch them off
//
// The environment variable VITRINE_PRIMITIVE is read once, when the program
// starts. "off" does without all of them; a list divided by commas does without
// those that it names:
//
//	avx512  registers of 512 bits, and what needs them
//	vaes    AES and carry-less products on several blocks at once
//	ifma    products of 52 bits, eight at once
//	adx     additions with two carries, and MULX, with AVX2
//
// A name that is not in this list switches everything off: a user that wanted
// less than all and mistyped it does not get all. The build tag purego leaves
// the assembly out of the program. Either way, and in a program in FIPS 140-3
// mode, the standard library does the work.
//
// # How a package uses it
//
// A package below internal/primitive asks for one of the variables below each time
// it makes a key, and never while it works with one. So a test that switches
// something off (Without) reaches every path on one machine.
package cpu

import (
	"crypto/fips140"
	"os"
	"strings"
)

// What may be used. Only Without changes them after the program's start.
var (
	// VAES512 is VAES and VPCLMULQDQ on registers of 512 bits, with AVX-512 F, BW,
	// DQ and VL, and BMI2.
	VAES512 bool
	// VAES256 is VAES and VPCLMULQDQ on registers of 256 bits, with AVX2, and
	// nothing of AVX-512.
	VAES256 bool
	// IFMA is AVX-512 IFMA on registers of 512 bits, with F, BW, DQ and VL, and BMI2.
	IFMA bool
	// ADX is ADCX and ADOX, with MULX (BMI2) and AVX2.
	ADX bool
)

// variable is the name of the environment variable.
const variable = "VITRINE_PRIMITIVE"

// features are what a processor has, by the names of the environment variable.
type features struct{ avx512, vaes, ifma, adx bool }

func init() { set(os.Getenv(variable)) }

// set allows what the processor has and without does not name.
func set(without string) {
	f := found().without(without)
	if fips140.Enabled() {
		f = features{}
	}
	VAES512, VAES256, IFMA, ADX = f.avx512 && f.vaes, f.vaes, f.avx512 && f.ifma, f.adx
}

// without is f less what a list divided by commas names.
func (f features) without(list string) features {
	for name := range strings.SplitSeq(list, ",") {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "":
		case "avx512":
			f.avx512 = false
		case "vaes":
			f.vaes = false
		case "ifma":
			f.ifma = false
		case "adx":
			f.adx = false
		default: // "off", and what is no name
			return features{}
		}
	}
	return f
}

// Without does without what list names, as the environment variable would, until
// restore is called. It is for tests, and not while anything else makes keys.
func Without(list string) (restore func()) {
	set(list)
	return func() { set(os.Getenv(variable)) }
}
