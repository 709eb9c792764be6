package aesgcm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The assembly must take the same time and touch the same addresses whatever the
// key, the data and the tag are. TestStructure reads it and holds these rules, which
// suffice for that:
//
//   - every instruction is one that is known here, and takes the same time always;
//   - what is read from memory, other than the arguments, and what is in a vector is
//     a secret; so is a general-purpose register that gets any of it, all through
//     its function;
//   - a secret register may be moved to memory, and nothing else: it is in no
//     address, in no comparison, in no mask;
//   - a mask comes from a general-purpose register alone;
//   - what is in the registers from 16 on, and on the stack, is zero in the end: other
//     code of a Go program would hardly ever overwrite it;
//   - a conditional jump stands right behind a comparison, a test or a subtraction.
func TestStructure(t *testing.T) {
	text, err := os.ReadFile("kernel_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\nTEXT "); n != 10 {
		t.Errorf("%d functions, want 10", n)
	}
	for _, v := range violations(string(text)) {
		t.Error(v)
	}
}

// Each of these breaks one rule, and must be found.
func TestStructureFindsWhatIsWrong(t *testing.T) {
	for what, code := range map[string]string{
		"a branch on data":               "MOVQ (SI), R11\nTESTQ R11, R11\nJE end",
		"a branch on a copy of data":     "MOVQ (SI), R11\nMOVQ R11, AX\nCMPQ AX, $1\nJB end",
		"a branch on half of data":       "MOVL (SI), R11\nADDQ R11, AX\nCMPQ AX, $1\nJB end",
		"a branch on memory":             "CMPQ (SI), $1\nJB end",
		"a branch on a vector":           "VMOVQ X0, AX\nTESTQ AX, AX\nJE end",
		"a branch on flags of old":       "CMPQ CX, $1\nVPXOR X0, X0, X0\nJB end",
		"a branch on equal vectors":      "VPTEST X0, X1\nJE end",
		"a table indexed by data":        "MOVQ (SI), R11\nVMOVDQU (AX)(R11*1), X0",
		"a table indexed by a vector":    "VPEXTRQ $1, X0, R11\nVMOVDQU (R11), X0",
		"a gather":                       "VPGATHERDD Y1, (AX)(Y2*4), Y3",
		"a store to a secret address":    "MOVQ 8(SI), R11\nVMOVDQU X0, (R11)",
		"a mask of data":                 "MOVQ (SI), R11\nKMOVQ R11, K1",
		"a mask from memory":             "KMOVQ (SI), K1",
		"a mask that compares":           "VPCMPEQB Z0, Z1, K1",
		"a division":                     "DIVQ CX",
		"an argument behind a pointer":   "MOVQ s+0(FP), AX\nMOVQ (AX), BX\nVMOVDQU (BX), X0",
		"a length that depends on bytes": "MOVBLZX (SI), R11\nSUBQ R11, CX\nJA end",
		"a register that stays":          "VMOVDQU64 (SI), Z17\nVPXORD Z17, Z17, Z17\nVPXORD (SI), Z17, Z17",
		"a part of one that stays":       "VMOVDQU64 (SI), X31",
		"the stack that stays":           "VMOVDQU X0, 8(SP)\nVPXOR X1, X1, X1\nVMOVDQU X1, (SP)",
		"the stack, not with zero":       "VMOVDQU X0, (SP)\nVPXOR X1, X1, X1\nVMOVDQU (SI), X1\nVMOVDQU X1, (SP)",
		"data of the stack in a branch":  "VMOVDQU X0, (SP)\nMOVQ (SP), R11\nTESTQ R11, R11\nJE end",
	} {
		if found := violations("TEXT ·f(SB), $0\n" + code + "\nend:\nRET\n"); len(found) == 0 {
			t.Errorf("%s is not found", what)
		}
	}
	good := "TEXT ·f(SB), NOSPLIT, $0-16 // func f\nMOVQ n+8(FP), CX\nMOVQ src+0(FP), SI\nloop:\nMOVQ (SI)(CX*1), R11\nKMOVQ CX, K1\nVMOVDQU8.Z (SI), K1, Z0\nVPXORD 8(SI), Z0, Z31\nMOVQ R11, (SP)\nSUBQ $1, CX\nJA loop\nVPXORD Z31, Z31, Z31\nVPXOR X0, X0, X0\nVMOVDQU X0, (SP)\nRET\n"
	if found := violations(good); len(found) != 0 {
		t.Errorf("nothing is wrong, but found: %v", found)
	}
}

var (
	general  = regexp.MustCompile(`^(AX|BX|CX|DX|SI|DI|R8|R9|R1[0-5])$`)
	vector   = regexp.MustCompile(`^[XYZ]([12]?[0-9]|3[01])$`)
	mask     = regexp.MustCompile(`^K[1-7]$`)
	inMemory = regexp.MustCompile(`\(([A-Z0-9]+)(?:\*[1248])?\)`)
	argument = regexp.MustCompile(`^[A-Za-z]+\+[0-9]+\(FP\)$`)
	mixed    = regexp.MustCompile(`,\s*`)
)

// known are the instructions whose time does not depend on values, without suffix.
var known = strings.Fields(`
	MOVQ MOVL MOVW MOVB MOVBLZX LEAQ ADDQ SUBQ ANDQ XORL SHLQ BZHIQ CMPQ TESTQ
	JE JB JAE JBE JA JMP RET VZEROUPPER KMOVQ KMOVD KMOVW
	VMOVDQA VMOVDQU VMOVDQA64 VMOVDQU64 VMOVDQU8 VMOVQ VPINSRD VPINSRQ
	VPXOR VPXORD VPTERNLOGD VPAND VPADDD VPSHUFB VPSHUFD VPSRAD VPSRLQ VPSLLQ VPSLLDQ
	VAESENC VAESENCLAST VAESKEYGENASSIST VPCLMULQDQ
	VBROADCASTI128 VBROADCASTI32X4 VINSERTI128 VEXTRACTI128 VEXTRACTI32X4 VEXTRACTI64X4 VPERM2I128 VSHUFI64X2`)

// An instruction of the assembly, with where it stands.
type instruction struct {
	line int
	name string // without suffix
	ops  []string
}

func (i instruction) conditional() bool { return i.name[0] == 'J' && i.name != "JMP" }

func (i instruction) String() string {
	return fmt.Sprintf("line %d: %s %s", i.line, i.name, strings.Join(i.ops, ", "))
}

// violations reads assembly as Go's assembler does, as far as the generator uses it.
func violations(text string) (found []string) {
	var function []instruction
	flush := func() {
		found = append(found, violationsIn(function)...)
		function = nil
	}
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "TEXT "):
			flush()
		case line == "", line[0] == '#', strings.HasSuffix(line, ":"), strings.HasPrefix(line, "DATA "), strings.HasPrefix(line, "GLOBL "):
		default:
			name, ops, _ := strings.Cut(line, " ")
			name, _, _ = strings.Cut(name, ".")
			i := instruction{line: n + 1, name: name}
			if ops = strings.TrimSpace(ops); ops != "" {
				i.ops = mixed.Split(ops, -1)
			}
			function = append(function, i)
		}
	}
	flush()
	return found
}

func violationsIn(function []instruction) (found []string) {
	secret := secrets(function)
	for n, i := range function {
		wrong := func(why string) { found = append(found, fmt.Sprintf("%v: %s", i, why)) }
		if !slices.Contains(known, i.name) {
			wrong("is not known to take the same time always")
		}
		if i.conditional() {
			before := instruction{name: "nothing"}
			if n > 0 {
				before = function[n-1]
			}
			if before.name != "CMPQ" && before.name != "TESTQ" && before.name != "SUBQ" ||
				slices.ContainsFunc(before.ops, func(op string) bool { return !general.MatchString(op) && op[0] != '$' }) {
				wrong("follows no comparison of registers")
			}
		}
		for at, op := range i.ops {
			for _, r := range inMemory.FindAllStringSubmatch(op, -1) {
				if r[1] != "FP" && r[1] != "SB" && r[1] != "SP" && (!general.MatchString(r[1]) || secret[r[1]]) {
					wrong("the address is no public register's")
				}
			}
			if secret[op] && (!strings.HasPrefix(i.name, "MOV") || at == 0 && !strings.Contains(i.ops[1], "(")) {
				wrong("does more with a secret than to store it")
			}
			if mask.MatchString(op) && at == len(i.ops)-1 && (i.name[0] != 'K' || !general.MatchString(i.ops[0])) {
				wrong("the mask comes from elsewhere than a general-purpose register")
			}
		}
	}
	return append(found, leftovers(function)...)
}

// leftovers are the places that are not zero when the function returns. Each has a
// name: the number of a register, or an address on the stack.
func leftovers(function []instruction) (found []string) {
	zero, last := map[string]bool{}, map[string]instruction{}
	for _, i := range function {
		if len(i.ops) < 2 {
			continue
		}
		to := i.ops[len(i.ops)-1]
		switch {
		case vector.MatchString(to):
			zero[to[1:]] = strings.HasPrefix(i.name, "VPXOR") && i.ops[0] == to && i.ops[1] == to
			if n, _ := strconv.Atoi(to[1:]); n >= 16 {
				last[to[1:]] = i
			}
		case strings.Contains(to, "(SP)"):
			zero[to] = vector.MatchString(i.ops[0]) && zero[i.ops[0][1:]]
			last[to] = i
		}
	}
	for place, i := range last {
		if !zero[place] {
			found = append(found, fmt.Sprintf("%v: stays when the function returns", i))
		}
	}
	return found
}

// secrets are the general-purpose registers that may hold something secret.
func secrets(function []instruction) map[string]bool {
	secret := map[string]bool{}
	for before := -1; before != len(secret); {
		before = len(secret)
		for _, i := range function {
			if len(i.ops) < 2 {
				continue
			}
			to := i.ops[len(i.ops)-1]
			if !general.MatchString(to) || i.name == "LEAQ" || i.name == "CMPQ" || i.name == "TESTQ" {
				continue
			}
			for _, from := range i.ops[:len(i.ops)-1] {
				if secret[from] || vector.MatchString(from) || mask.MatchString(from) ||
					strings.Contains(from, "(") && !argument.MatchString(from) {
					secret[to] = true
				}
			}
		}
	}
	return secret
}

// The files that are checked in are what the generator writes.
func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	files := []string{"kernel_amd64.s", "kernel_amd64.go"}
	cmd := exec.Command("go", "run", "./generate", "-pkg", "aesgcm",
		"-out", filepath.Join(dir, files[0]), "-stubs", filepath.Join(dir, files[1]))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range files {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if body(got) != body(want) {
			t.Errorf("%s is not what the generator writes: run go generate", name)
		}
	}
}

// body is a generated file without its first line, where the paths are.
func body(text []byte) string {
	_, rest, _ := strings.Cut(string(text), "\n")
	return rest
}
