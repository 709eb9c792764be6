//go:build !purego

package modexp

// pairs are the shapes of two moduli, and singles those of one. An eight is the shape of
// four pairs.
var pairs = []*shape{
	{bits: 1024, chains: 2, limbs: 22, regs: 3, multiply: multiply2x3, pick: pick2x3},
	{bits: 1536, chains: 2, limbs: 32, regs: 5, multiply: multiply2x5, pick: pick2x5},
	{bits: 2048, chains: 2, limbs: 42, regs: 6, multiply: multiply2x6, pick: pick2x6},
}

var singles = []*shape{
	{bits: 1024, chains: 1, limbs: 22, regs: 3, multiply: multiply1x3, pick: pick1x3},
	{bits: 1536, chains: 1, limbs: 32, regs: 5, multiply: multiply1x5, pick: pick1x5},
	{bits: 2048, chains: 1, limbs: 42, regs: 6, multiply: multiply1x6, pick: pick1x6},
	{bits: 3072, chains: 1, limbs: 62, regs: 8, multiply: multiply1x8, pick: pick1x8},
	{bits: 4096, chains: 1, limbs: 82, regs: 11, multiply: multiply1x11, pick: pick1x11},
}

var eights = []*shape{
	{bits: 1024, chains: 8, limbs: 22, regs: 3, sliced: true, multiply: multiply8x22, square: square8x22, pick: pick8x22},
}
