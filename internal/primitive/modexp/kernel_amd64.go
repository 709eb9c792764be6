//go:build !purego

package modexp

// pairs are the shapes of two moduli, and singles those of one. An eight is the shape of
// four pairs.
var pairs = []*shape{
	{kernels: IFMA, bits: 1024, chains: 2, width: 52, limbs: 22, regs: 3, steps: 11, multiply: multiply2x3, pick: pick2x3},
	{kernels: IFMA, bits: 1536, chains: 2, width: 52, limbs: 32, regs: 5, steps: 16, multiply: multiply2x5, pick: pick2x5},
	{kernels: IFMA, bits: 2048, chains: 2, width: 52, limbs: 42, regs: 6, steps: 21, multiply: multiply2x6, pick: pick2x6},
}

var singles = []*shape{
	{kernels: IFMA, bits: 1024, chains: 1, width: 52, limbs: 22, regs: 3, steps: 11, multiply: multiply1x3, pick: pick1x3},
	{kernels: IFMA, bits: 1536, chains: 1, width: 52, limbs: 32, regs: 5, steps: 16, multiply: multiply1x5, pick: pick1x5},
	{kernels: IFMA, bits: 2048, chains: 1, width: 52, limbs: 42, regs: 6, steps: 21, multiply: multiply1x6, pick: pick1x6},
	{kernels: IFMA, bits: 3072, chains: 1, width: 52, limbs: 62, regs: 8, steps: 31, multiply: multiply1x8, pick: pick1x8},
	{kernels: IFMA, bits: 4096, chains: 1, width: 52, limbs: 82, regs: 11, steps: 41, multiply: multiply1x11, pick: pick1x11},
	scalarShape(1024, pickScalar17),
	scalarShape(1536, pickScalar25),
	scalarShape(2048, pickScalar33),
	scalarShape(3072, pickScalar49),
	scalarShape(4096, pickScalar65),
}

func scalarShape(bits int, pick func(z, table, index *uint64)) *shape {
	steps := bits / (64 * lanes)
	return &shape{kernels: Scalar, bits: bits, chains: 1, width: 64, limbs: bits/64 + 1, regs: steps + 1, steps: steps,
		multiply: multiplyScalar, pick: pick,
		square: func(z, x, m, work *uint64, times int) { squareScalar(z, x, m, work, steps, times) }}
}

var eights = []*shape{
	{kernels: IFMA, bits: 1024, chains: 8, width: 52, limbs: 22, regs: 3, sliced: true, steps: 11, multiply: multiply8x22, square: square8x22, pick: pick8x22},
}
