//go:build valgrind && linux

#include "textflag.h"

// As for amd64: four rotations of R12 and an ORR of R10 with itself; R4 points to
// the code and its arguments, and the answer is in R3.

// func request(code, arg1, arg2, arg3, arg4, arg5 uintptr) uintptr
TEXT ·request(SB), NOSPLIT, $0-56
	MOVD $code+0(FP), R4
	MOVD ZR, R3
	ROR $3, R12
	ROR $13, R12
	ROR $51, R12
	ROR $61, R12
	ORR R10, R10
	MOVD R3, ret+48(FP)
	RET
