package modexp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The checked-in code is what the generator writes.
func TestTheGeneratorWritesTheKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the generator")
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	asm, stubs := filepath.Join(t.TempDir(), "kernels_amd64.s"), filepath.Join(t.TempDir(), "kernels_amd64.go")
	if out, err := exec.Command(goCommand, "run", "./generate", "-out", asm, "-stubs", stubs, "-pkg", "modexp").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, made := range []string{asm, stubs} {
		name := filepath.Base(made)
		if got, want := body(t, made), body(t, name); !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run go generate", name)
		}
	}
}

// body is a file without its first line, which has the paths of that run.
func body(t *testing.T, name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok || !strings.HasPrefix(string(b), "// Code generated ") {
		t.Fatalf("%s does not begin as generated code does", name)
	}
	return rest
}

// No branch and no address of the kernels depends on a number, an exponent's window
// or anything that is computed from them.
func TestTheKernelsAreConstantTime(t *testing.T) {
	asm, err := os.ReadFile("kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(asm), "\nTEXT "); n != 2*9+1+2+5 {
		t.Errorf("%d kernels", n)
	}
	for _, fault := range leaks(string(asm)) {
		t.Error(fault)
	}
}

// What must not be in the kernels is found.
func TestLeaksAreFound(t *testing.T) {
	const head = "TEXT ·f(SB), NOSPLIT, $0-16\n\tMOVQ x+8(FP), AX\n\tMOVQ i0+16(FP), CX\n\tMOVQ steps+40(FP), DX\n"
	for _, c := range []struct{ code, want string }{
		{"again:\n\tVMOVDQU64 64(AX), Z1\n\tVMOVDQU64 Z1, (AX)\n\tDECQ DX\n\tJNZ again\n\tRET", ""},
		{"\tVMOVDQU64 (CX), Z1\n\tRET", "address"},
		{"\tVMOVDQU64 (AX)(CX*8), Z1\n\tRET", "address"},
		{"\tMOVQ (AX), BX\n\tVMOVDQU64 (BX), Z1\n\tRET", "address"},
		{"\tMOVQ (AX), BX\n\tADDQ BX, DX\n\tVMOVDQU64 (DX), Z1\n\tRET", "address"},
		{"\tVPCMPEQQ Z1, Z2, K1\n\tKMOVB K1, BX\n\tVMOVDQU64 (BX), Z1\n\tRET", "address"},
		{"\tMOVQ CX, BX\n\tMOVQ $1, BX\n\tADDQ BX, AX\n\tVMOVDQU64 (AX), Z1\n\tRET", ""},
		{"again:\n\tDECQ CX\n\tJNZ again\n\tRET", "branch"},
		{"again:\n\tTESTQ CX, CX\n\tJNZ again\n\tRET", "unknown"},
		{"again:\n\tDECQ DX\n\tADDQ CX, BX\n\tJNZ again\n\tRET", "branch"},
		{"again:\n\tVMOVDQU64 (DX), Z1\n\tMOVQ CX, DX\n\tDECQ SI\n\tJNZ again\n\tRET", "address"},
		{"\tJMP CX\n\tRET", "unknown"},
		{"\tVMOVDQU64 (AX), K1, Z1\n\tRET", "masked"},
		{"\tVPGATHERQQ (AX)(Z1*8), K1, Z2\n\tRET", "unknown"},
		{"\tDIVQ CX\n\tRET", "unknown"},
		{"\tMOVQ DX, 8(SP)\nagain:\n\tMULXQ (AX), R8, R9\n\tDECQ 8(SP)\n\tJNZ again\n\tRET", ""},
		{"\tMOVQ CX, 8(SP)\nagain:\n\tDECQ 8(SP)\n\tJNZ again\n\tRET", "branch"},
		{"\tMOVQ (AX), BX\n\tMOVQ BX, 8(SP)\n\tMOVQ 8(SP), SI\n\tMOVQ (SI), BX\n\tRET", "address"},
		{"\tMOVQ CX, 12(SP)\n\tRET", "address"},
		{"again:\n\tDECQ (AX)\n\tJNZ again\n\tRET", "branch"},
		{"\tMULXQ (AX), R8, R9\n\tMOVQ (R8), BX\n\tRET", "address"},
		{"\tMULXQ (AX), R8, R9\n\tMOVQ (R9), BX\n\tRET", "address"},
		{"\tADCXQ DX, AX\n\tMOVQ (AX), BX\n\tRET", "address"},
		{"\tADOXQ DX, AX\n\tMOVQ (AX), BX\n\tRET", "address"},
		{"\tSBBQ AX, AX\n\tMOVQ (AX), BX\n\tRET", "address"},
		{"\tLEAQ 8(AX)(DX*8), BX\n\tMOVQ (BX), BX\n\tRET", ""},
		{"\tLEAQ 8(AX)(CX*8), BX\n\tMOVQ (BX), BX\n\tRET", "address"},
		{"\tVMOVQ CX, X1\n\tVMOVQ X1, BX\n\tMOVQ (BX), BX\n\tRET", "address"},
	} {
		found := leaks(head + c.code + "\n")
		if got := strings.Join(found, "; "); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%q: found %q, want %q", c.code, got, c.want)
		}
	}
}
