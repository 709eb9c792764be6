//go:build valgrind && linux && amd64

#include "textflag.h"

// A client request is an exchange of BX with itself after four rotations of DI
// that leave it as it was. AX points to the code and its arguments, and the
// answer is in DX, which a request that is not understood leaves alone.

// func request(code, arg1, arg2, arg3, arg4, arg5 uintptr) uintptr
TEXT ·request(SB), NOSPLIT, $0-56
	LEAQ code+0(FP), AX
	XORL DX, DX
	ROLQ $3, DI
	ROLQ $13, DI
	ROLQ $61, DI
	ROLQ $51, DI
	XCHGQ BX, BX
	MOVQ DX, ret+48(FP)
	RET
