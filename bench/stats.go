package main

import (
	"math"
	"slices"
)

// summary is one metric of one contender over the rounds of a row.
type summary struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Rounds int     `json:"rounds"`
	// Samples are the values of the rounds in their order: those of two contenders at one
	// place are of one round, save where one of them has failed.
	Samples []float64 `json:"samples"`
}

// values are what a metric makes of the rounds' figures; nil if one lacks them.
func (m metric) values(samples []figures) (list []float64) {
	for _, f := range samples {
		num, counted := f[m.num]
		if !counted || f[m.den] <= 0 {
			return nil
		}
		list = append(list, m.scale*num/f[m.den])
	}
	return list
}

// summarise wants at least one value.
func summarise(values []float64) summary {
	return summary{median(values), slices.Min(values), slices.Max(values), len(values), values}
}

// ratio is the median of the ratios within each round, which a machine that is
// slower in some rounds than in others disturbs less than the ratio of the
// medians. It is 0 where there is none.
func ratio(ours, theirs []float64) float64 {
	each := ratios(ours, theirs)
	if len(each) == 0 {
		return 0
	}
	return median(each)
}

func ratios(ours, theirs []float64) (each []float64) {
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] > 0 {
			each = append(each, ours[i]/theirs[i])
		}
	}
	return each
}

// median of at least one value; of an even number it is the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// met says whether a figure keeps the goal. A ratio counts as it is printed, to
// two decimals.
func (g goal) met(value float64, higher bool) bool {
	if g.of != "" {
		value = math.Round(value*100) / 100
	}
	if higher {
		return value >= g.limit
	}
	return value <= g.limit
}
