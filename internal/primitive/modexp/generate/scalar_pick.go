package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pickScalar copies one of 32 entries of so many words, by AVX2. It reads all of them.
func pickScalar(words int) {
	TEXT(fmt.Sprintf("pickScalar%d", words), NOSPLIT, "func(z, table, index *uint64)")
	Doc(fmt.Sprintf("pickScalar%d copies an entry of a table of 32; each has %d words, and seven that are not used.", words, words))
	Pragma("noescape")
	const bytes, most = 32, 9
	z, table, index := Load(Param("z"), GP64()), Load(Param("table"), GP64()), Load(Param("index"), GP64())
	wanted, one := YMM(), YMM()
	VPBROADCASTQ(Mem{Base: index}, wanted)
	increment := GP64()
	MOVQ(U32(1), increment)
	VMOVQ(increment, one.AsX())
	VPBROADCASTQ(one.AsX(), one)
	all := (words + 3) / 4
	for first := 0; first < all; first += most {
		n := min(most, all-first)
		found := make([]VecVirtual, n)
		for i := range found {
			found[i] = YMM()
			VPXOR(found[i], found[i], found[i])
		}
		here, same, part := YMM(), YMM(), YMM()
		VPXOR(here, here, here)
		entry, left := GP64(), GP64()
		MOVQ(table, entry)
		MOVQ(U32(32), left)
		label := fmt.Sprintf("entry%d", first)
		Label(label)
		VPCMPEQQ(here, wanted, same)
		for i := range found {
			VPAND(Mem{Base: entry, Disp: (first + i) * bytes}, same, part)
			VPOR(part, found[i], found[i])
		}
		VPADDQ(one, here, here)
		ADDQ(U32(8*(words+7)), entry)
		DECQ(left)
		JNZ(LabelRef(label))
		for i, f := range found {
			VMOVDQU(f, Mem{Base: z, Disp: (first + i) * bytes})
		}
	}
	VZEROUPPER()
	RET()
}
