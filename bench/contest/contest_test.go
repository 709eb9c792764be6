package contest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// Programs run in turns; one that fails has no figures, also of the rounds before, and runs no more.
func TestTurns(t *testing.T) {
	var log strings.Builder
	var order []int
	turns := Turns[int]{Row: "row", Rounds: 3, Programs: []string{"a", "b", "c"}, Only: "a,b", Log: &log}
	list := turns.Take(func(program int) (int, error) {
		if order = append(order, program); program == 1 && len(order) > 2 {
			return 0, errors.New("it broke")
		}
		return 10 * len(order), nil
	})
	if !slices.Equal(order, []int{0, 1, 0, 1, 0}) {
		t.Errorf("they ran in the order %v", order)
	}
	if len(list) != 2 || !slices.Equal(list[0].All, []int{10, 30, 50}) || list[0].Missing != "" || len(list[1].All) != 0 || list[1].Missing != "it broke" {
		t.Errorf("%+v", list)
	}
	if got := log.String(); !strings.Contains(got, "row, a, round 3: 50\n") || !strings.Contains(got, "row, b: it broke\n") {
		t.Errorf("logged is %q", got)
	}
}

func TestMedian(t *testing.T) {
	for want, all := range map[float64][]float64{5: {9, 1, 5}, 4: {4, 1}, 7: {7}} {
		if got := Median(all, func(f float64) float64 { return f }); got != want {
			t.Errorf("of %v: %v", all, got)
		}
	}
}
