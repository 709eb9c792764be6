package certs

import (
	"strings"
	"testing"
	"time"
)

func TestDaysLeftAreRoundedDown(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]int{0: 0, time.Hour: 0, -time.Hour: -1, 24 * time.Hour: 1, -25 * time.Hour: -2} {
		if got := DaysLeft(now.Add(d), now); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}

// What cannot be used says which part of a file it is.
func TestWhatCannotBeParsed(t *testing.T) {
	const begin, end = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
	for data, want := range map[string]string{
		"":                         "neither PEM nor DER",
		"hello":                    "neither PEM nor DER",
		"\x30\x03\x02\x01\x01":     "its format is not known",
		begin + "AAAA\n":           "no block in it is whole",
		begin + "MAMCAQE=\n" + end: "block 1 (CERTIFICATE)",
		strings.ReplaceAll(begin+"AAAA\n"+end, "CERTIFICATE", "X"): "holds no certificate",
	} {
		if items, err := Parse([]byte(data), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", data, items, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("\x30\x03\x02\x01\x01"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := Parse(data, []byte("secret"))
		if err == nil && len(items) == 0 {
			t.Error("neither an item nor an error")
		}
		for _, i := range items {
			if i.Kind == ACertificate && i.Describe(time.Now()).SHA256 == "" {
				t.Error("a certificate without its digest")
			}
		}
	})
}
