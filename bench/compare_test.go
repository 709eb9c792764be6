package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite testdata/*.txt")

// compared is what the program prints for two reports.
func compared(t *testing.T, before, now string, more ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if err := run(append([]string{"--compare", before, "--report", now}, more...), &out, &errs); err != nil {
		t.Fatalf("%v, %s", err, errs.String())
	}
	return out.String()
}

// The machine of the second report is half as fast, and another row changed. Beside crypto/tls
// what has changed is seen, and what has not is not; alone a figure shows both.
func TestCompare(t *testing.T) {
	const golden = "testdata/changes.txt"
	_, got, _ := strings.Cut(compared(t, "testdata/before.json", "testdata/now.json"), "\nWhat has changed since ")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("%v; go test ./bench -run TestCompare -update rewrites %s; now it is\n%s", err, golden, got)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}

	var r report
	if err := json.Unmarshal([]byte(compared(t, "testdata/before.json", "testdata/now.json", "--json")), &r); err != nil || r.Since == nil {
		t.Fatal(err)
	}
	verdicts := map[string]string{
		"loopback-send-aes128gcm-16k idle":   "better",  // 1000 to 1400 on a machine of half the pace
		"loopback-send-aes128gcm-16k loaded": "worse",   // 900 to 2000
		"loopback-send-aes256gcm-256k idle":  unchanged, // half a percent
		"loopback-send-chacha20-256k idle":   "better",  // a rate that fell by less than crypto/tls's
		"server-tls1.2-psk idle":             "worse",   // nobody to compare with
		"tls1.3-psk-resume idle":             "better",  // allocations, whatever the pace
	}
	for _, c := range r.Since.Figures {
		name := c.Row + " " + c.State.String()
		if c.Verdict != verdicts[name] {
			t.Errorf("%s: %s, want %s: %+v", name, c.Verdict, verdicts[name], c)
		}
		delete(verdicts, name)
	}
	if len(verdicts) > 0 {
		t.Errorf("not compared: %v", verdicts)
	}
}

// A report without the rounds bounds the noise by their extremes, and a contender that
// was not the same in both runs is no measure.
func TestCompareBare(t *testing.T) {
	var r report
	if err := json.Unmarshal([]byte(compared(t, "testdata/bare.json", "testdata/now.json", "--json")), &r); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Since.Figures {
		if c.Of != "" || c.State == loaded || c.Low >= c.Ratio && c.Ratio != c.Low {
			t.Errorf("%+v", c)
		}
	}
	now, err := readReport("testdata/now.json")
	if err != nil {
		t.Fatal(err)
	}
	before, err := readReport("testdata/before.json")
	if err != nil {
		t.Fatal(err)
	}
	before.Go = "go1.25"
	for _, c := range now.since(before, "").Figures {
		if c.Of != "" {
			t.Errorf("beside crypto/tls of another Go: %+v", c)
		}
	}
	before.Busy = 3
	if why := strings.Join(now.since(before, "").Circumstances, "; "); why != "Go: go1.25 before, go1.26.8 now; other programs ran then: a load of 3.0; "+
		"processors: 2 A processor before, 2 Another processor now" {
		t.Errorf("circumstances: %s", why)
	}
	if same := now.since(now, ""); slices.ContainsFunc(same.Figures, func(c change) bool { return c.Verdict != unchanged }) {
		t.Errorf("a report differs from itself: %+v", same)
	}
}

func TestReadReport(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"testdata/none.json": "no such file", "testdata/changes.txt": "is no report", empty: "holds no results"} {
		for _, flag := range []string{"--compare", "--report"} {
			if err := run([]string{flag, file}, os.Stdout, os.Stderr); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s: %v", flag, file, err)
			}
		}
	}
}

// The ranks of the binomial distribution for 95 %, as tables of the sign test have them.
func TestOuter(t *testing.T) {
	for n, want := range map[int]int{1: 0, 2: 0, 5: 0, 6: 0, 8: 0, 9: 1, 11: 1, 12: 2, 15: 3, 20: 5, 100: 39} {
		if got := outer(n); got != want {
			t.Errorf("%d values: %d left out at either end, want %d", n, got, want)
		}
	}
}
