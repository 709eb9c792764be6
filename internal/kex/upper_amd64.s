//go:build !vitrine_std

#include "textflag.h"

// func zeroUpper()
TEXT ·zeroUpper(SB), NOSPLIT, $0-0
	VZEROUPPER
	RET
