package cpu

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestListOfWhatToDoWithout(t *testing.T) {
	all := features{true, true, true, true}
	for list, want := range map[string]features{
		"":               all,
		" , ":            all,
		"off":            {},
		"avx512":         {vaes: true, ifma: true, adx: true},
		"vaes, ADX":      {avx512: true, ifma: true},
		"ifma,vaes":      {avx512: true, adx: true},
		"avx-512":        {}, // mistyped
		"vaes,everytihg": {},
	} {
		if got := all.without(list); got != want {
			t.Errorf("without %q: %+v, want %+v", list, got, want)
		}
	}
	if got := (features{}).without("vaes"); got != (features{}) {
		t.Errorf("what the processor lacks came to be: %+v", got)
	}
}

func TestWithout(t *testing.T) {
	type state struct{ vaes512, vaes256, ifma, adx bool }
	now := func() state { return state{VAES512, VAES256, IFMA, ADX} }
	before := now()
	for list, want := range map[string]state{
		"off":    {},
		"avx512": {vaes256: before.vaes256, adx: before.adx},
		"vaes":   {ifma: before.ifma, adx: before.adx},
		"ifma":   {before.vaes512, before.vaes256, false, before.adx},
		"adx":    {before.vaes512, before.vaes256, before.ifma, false},
	} {
		if os.Getenv(variable) != "" {
			t.Skip(variable + " is set: what it leaves is not what the list leaves")
		}
		restore := Without(list)
		if got := now(); got != want {
			t.Errorf("without %q: %+v, want %+v", list, got, want)
		}
		if restore(); now() != before {
			t.Errorf("%q is not restored: %+v, was %+v", list, now(), before)
		}
	}
}

// What is found must be what Linux says of the same processor.
func TestFoundAsLinuxSays(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("no /proc/cpuinfo of an amd64 processor")
	}
	_, line, _ := strings.Cut(string(text), "\nflags")
	line, _, _ = strings.Cut(line, "\n")
	has := func(names ...string) bool {
		for _, n := range names {
			if !strings.Contains(line+" ", " "+n+" ") {
				return false
			}
		}
		return true
	}
	want := features{
		avx512: has("avx512f", "avx512bw", "avx512dq", "avx512vl", "bmi2"),
		vaes:   has("avx2", "aes", "pclmulqdq", "vaes", "vpclmulqdq"),
		ifma:   has("avx512ifma"),
		adx:    has("adx", "bmi2", "avx2"),
	}
	got := found()
	if got == (features{}) && want != got {
		t.Skip("built with the tag purego")
	}
	if got != want {
		t.Errorf("found %+v, Linux says %+v", got, want)
	}
}

// The variable and FIPS 140-3 mode are read once, so each needs a program of its own.
func TestReadAtTheStart(t *testing.T) {
	if os.Getenv("CPU_TEST_CHILD") != "" {
		if VAES512 || VAES256 || IFMA || ADX {
			t.Error("something may be used")
		}
		return
	}
	for _, setting := range []string{variable + "=off", "GODEBUG=fips140=on"} {
		if found() == (features{}) && setting != variable+"=off" {
			continue // nothing is there, and with the tag purego such a program does not start
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestReadAtTheStart$")
		cmd.Env = append(os.Environ(), "CPU_TEST_CHILD=1", setting)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", setting, err, out)
		}
	}
}
