package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/root"
)

const (
	helpWidth    = 80
	helpSentence = 40 // words at most; 25 are the aim
)

var (
	sentenceEnd = regexp.MustCompile(`[.!?:;]["')]*\s+`)
	notPlain    = regexp.MustCompile(`(?i)\b(whoever|until (TLS|SSL)|a word for)\b`)
	typesOfGo   = []string{"string", "strings", "stringArray", "int", "uint", "uint8", "float", "duration"}
)

// Help fits a terminal of 80 columns, says it in short sentences, and says what each value is.
func TestHelpReadsWell(t *testing.T) {
	top := root.New(verbs)
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		cmd.InitDefaultHelpFlag()
		for line := range strings.Lines(cmd.Long + "\n" + cmd.UsageString()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
				t.Errorf("%s --help has a line of %d columns, %d are the most: %s", cmd.CommandPath(), n, helpWidth, line)
			}
		}
		words := strings.Split(cmd.Long, "\n\n")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			value, usage := pflag.UnquoteUsage(f)
			if slices.Contains(typesOfGo, value) {
				t.Errorf("%s --help: --%s has %q for its value: put what it is between backquotes", cmd.CommandPath(), f.Name, value)
			}
			words = append(words, usage)
		})
		for _, text := range words {
			if found := notPlain.FindString(text); found != "" {
				t.Errorf("%s --help says %q in: %s", cmd.CommandPath(), found, text)
			}
			for _, s := range sentenceEnd.Split(text, -1) {
				if n := len(strings.Fields(s)); n > helpSentence && !strings.Contains(s, "\n  ") {
					t.Errorf("%s --help has a sentence of %d words, %d are the most: %s", cmd.CommandPath(), n, helpSentence, s)
				}
			}
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(top)
}
