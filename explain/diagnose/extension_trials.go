package diagnose

import (
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// extensionTrial leaves out what the hello can do without, and then less and less of it.
func (t *trialist) extensionTrial() *Verdict {
	h := t.facts.hello.copyOf()
	suspects, length := h.optional(), len(h.message())
	if len(suspects) == 0 || !t.may(2) {
		return nil
	}
	a := t.withoutExtensions(suspects)
	if !a.agreed {
		return nil
	}
	return t.lengthOr(a, length, h.without(suspects...), func(answer) *Verdict {
		fewest, last := t.fewest(suspects, a)
		if len(fewest) == 1 && fewest[0] == wire.ExtALPN {
			return t.minds("no-common-alpn", "takes none of the protocols "+few(t.facts.hello.protocols), last)
		}
		what := "does not take a hello with " + extensionNames(fewest)
		if len(fewest) > 1 {
			what = "does not take a hello with one or several of " + extensionNames(fewest)
		}
		return t.minds("extension-intolerant", what, last)
	})
}

// fewest leaves out half of the suspects at a time, and returns the fewest without which the
// server was seen to take the hello, and its answer then. all is its answer without any.
func (t *trialist) fewest(suspects []wire.ExtensionType, all answer) ([]wire.ExtensionType, answer) {
	found, last := suspects, all
	for len(suspects) > 1 && t.may(1) {
		half := suspects[:len(suspects)/2]
		a := t.withoutExtensions(half)
		if a.agreed {
			suspects, found, last = half, half, a
			continue
		}
		suspects = suspects[len(half):]
	}
	// What is left by exclusion is not seen yet: the server may mind one in each half.
	if len(suspects) < len(found) && t.may(1) {
		if a := t.withoutExtensions(suspects); a.agreed {
			return suspects, a
		}
	}
	return found, last
}

func (t *trialist) withoutExtensions(types []wire.ExtensionType) answer {
	return t.with("without "+extensionNames(types), t.facts.hello.copyOf().without(types...))
}

func extensionNames(types []wire.ExtensionType) string {
	var names []string
	for _, e := range types {
		names = append(names, e.String())
	}
	return strings.Join(names, ", ")
}
