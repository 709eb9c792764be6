package front

import "testing"

// What some servers take for a command that is rewritten here is no verb.
func TestVerbs(t *testing.T) {
	for word, want := range map[string]bool{
		"PASV": true, "noop": true, "": false, "PASV\t": false, "P@SW": false, "\"PASV\"": false, "PORT\t10": false, "PÄSV": false, "[PASV": false,
	} {
		if isVerb(word) != want {
			t.Errorf("%q: %v", word, !want)
		}
	}
}
