package page

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/browser"
)

// The story says of a name that went encrypted that nobody on the way can read it, and of one in the
// clear that everybody can.
func TestStoryOfTheName(t *testing.T) {
	b := browser.Start(t)
	for name, want := range map[string]string{"tls13-hybrid": "for all to see", "tls13-hidden-hello": "and hides which"} {
		x := openTab(t, b, one(runs[name].account(t)), "")
		story := browser.Eval[string](x.Tab, `document.querySelector("ol.steps").textContent`)
		if !strings.Contains(story, "It names the server, "+want) || strings.Count(story, "It names the server") != 1 || !strings.Contains(story, "which one it wants: localhost.") {
			t.Errorf("%s: %s", name, story)
		}
	}
}
