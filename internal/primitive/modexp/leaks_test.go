package modexp

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// publicParameters are the arguments of the kernels that are no secrets: pointers
// and counts. What the pointers lead to is secret.
var publicParameters = regexp.MustCompile(`^(z|x|y|m|work|table|index|steps|times)\+\d+\(FP\)$`)

// plain are the instructions whose time does not depend on their operands, and that
// write their last operand alone; MULXQ writes its last two.
var plain = regexp.MustCompile(`^(MOV[LQ]|LEAQ|ADDQ|AD[CO]XQ|ADCQ|SUBQ|SBBQ|NEGQ|MULXQ|ANDQ|XORQ|ORQ|SHLQ|SHRQ|DECQ|KMOV[BW]|VMOVQ|VMOVDQU|VMOVDQU64|VMOVDQA64|VP(AND|OR|XOR|ADDQ|ANDQ|XORQ|SRLQ|BROADCASTQ|ERMQ|CMPUQ|CMPEQQ|MOVM2Q|TERNLOGQ|MADD52[LH]UQ)|VALIGNQ|VZEROUPPER)(\.Z)?$`)

var (
	address  = regexp.MustCompile(`\(([^)]*)\)`)
	register = regexp.MustCompile(`^(AX|BX|CX|DX|SI|DI|BP|R\d+)$`)
	// slot is a word on the stack. It is written as a whole, and so followed as a register is.
	slot   = regexp.MustCompile(`^([1-9]\d*)?\(SP\)$`)
	opmask = regexp.MustCompile(`^K\d$`)
)

// leaks follows the secrets through the code and says where an address or a branch
// depends on one. It knows the few instructions that the kernels use, and refuses
// the others.
func leaks(asm string) (found []string) {
	for _, f := range strings.Split(asm, "\nTEXT ") {
		name, code, _ := strings.Cut(f, "\n")
		if !strings.Contains(name, "(SB)") {
			continue
		}
		flow := tracker{lines: strings.Split(code, "\n"), at: map[string]map[string]bool{}}
		for changed := true; changed; { // until what is known at each label is stable
			changed, flow.found = flow.run(), nil
		}
		flow.run()
		for _, what := range flow.found {
			found = append(found, strings.Fields(name)[0]+": "+what)
		}
	}
	return found
}

// A tracker walks through one function.
type tracker struct {
	lines []string
	at    map[string]map[string]bool // the secret registers at each label
	found []string
}

func (f *tracker) fault(line, what string) {
	f.found = append(f.found, fmt.Sprintf("%s: %s", what, line))
}

// run walks through the code once, and reports whether it learned more on labels.
func (f *tracker) run() (learned bool) {
	secret, counter := map[string]bool{}, ""
	for _, line := range f.lines {
		line, _, _ = strings.Cut(line, "//")
		op, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var args []string
		for _, a := range strings.Split(rest, ",") {
			if a = strings.TrimSpace(a); a != "" {
				args = append(args, a)
			}
		}
		switch {
		case op == "" || op == "RET" || strings.HasPrefix(op, "#"):
		case strings.HasSuffix(op, ":"):
			for r := range f.at[strings.TrimSuffix(op, ":")] {
				secret[r] = true
			}
		case op == "JNZ":
			if !isPlace(counter) || secret[counter] {
				f.fault(line, "a branch on a secret, or on something that is no counter")
			}
			known := f.at[args[0]]
			if known == nil {
				known = map[string]bool{}
				f.at[args[0]] = known
			}
			before := len(known)
			maps.Copy(known, secret)
			learned = learned || len(known) > before
		case !plain.MatchString(op):
			f.fault(line, "an unknown instruction")
		default:
			f.step(op, args, secret, line)
		}
		counter = ""
		if op == "DECQ" {
			counter = args[0]
		}
	}
	return learned
}

// isPlace reports whether an operand is a register, or a word on the stack.
func isPlace(operand string) bool {
	at := slot.FindStringSubmatch(operand)
	if at == nil {
		return register.MatchString(operand)
	}
	n, _ := strconv.Atoi(at[1])
	return n%8 == 0
}

// step does what one instruction does to the set of secret registers.
func (f *tracker) step(op string, args []string, secret map[string]bool, line string) {
	if len(args) == 0 {
		return
	}
	memory, masked, isSecret := false, false, false
	for i, a := range args {
		switch {
		case strings.HasSuffix(a, "(FP)"):
			isSecret = isSecret || !publicParameters.MatchString(a)
		case op == "LEAQ" && i == 0:
			for _, part := range address.FindAllStringSubmatch(a, -1) {
				r, _, _ := strings.Cut(part[1], "*")
				isSecret = isSecret || secret[r] || !register.MatchString(r)
			}
		case strings.Contains(a, "(") && !isPlace(a):
			memory = true
			for _, part := range address.FindAllStringSubmatch(a, -1) {
				r, _, _ := strings.Cut(part[1], "*")
				if secret[r] || !register.MatchString(r) {
					f.fault(line, "an address that depends on a secret")
				}
			}
			isSecret = isSecret || i < len(args)-1
		case opmask.MatchString(a):
			masked = masked || !strings.HasPrefix(op, "KMOV") && i < len(args)-1 && i > 0
			isSecret = isSecret || i < len(args)-1
		case isPlace(a):
			isSecret = isSecret || i < len(args)-1 && secret[a]
		case a[0] == 'Z' || a[0] == 'Y' || a[0] == 'X':
			isSecret = isSecret || i < len(args)-1
		}
	}
	if masked && memory {
		f.fault(line, "a masked access to memory")
	}
	last := args[len(args)-1]
	if op == "MULXQ" && len(args) == 3 { // DX, which it multiplies by, is not named
		secret[args[1]], secret[last] = true, true
	}
	if !isPlace(last) {
		return
	}
	// What is carried is computed from secrets.
	isSecret = isSecret || strings.HasPrefix(op, "AD") && op != "ADDQ" || op == "SBBQ"
	if strings.HasPrefix(op, "MOV") || strings.HasPrefix(op, "KMOV") || op == "LEAQ" {
		secret[last] = isSecret // and what was there is gone
	} else {
		secret[last] = secret[last] || isSecret
	}
	if !secret[last] {
		delete(secret, last)
	}
}
