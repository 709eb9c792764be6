//go:build amd64 && !purego

package cpu

import "golang.org/x/sys/cpu"

// cpuid is the instruction of that name.
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

// found is what this processor has. golang.org/x/sys/cpu asks the operating
// system (XGETBV) whether it saves registers of 256 and 512 bits. It knows VAES
// only together with AVX-512, so the two bits are read here.
func found() features {
	const vaes, vpclmulqdq = 1 << 9, 1 << 10 // ECX of leaf 7
	x := &cpu.X86
	f := features{
		avx512: x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasBMI2,
		ifma:   x.HasAVX512IFMA,
		adx:    x.HasADX && x.HasBMI2 && x.HasAVX2,
	}
	if x.HasAVX2 && x.HasAES && x.HasPCLMULQDQ { // so leaf 7 exists
		_, _, c, _ := cpuid(7, 0)
		f.vaes = c&vaes != 0 && c&vpclmulqdq != 0
	}
	return f
}
