package explain

// Result is the outcome of one check.
type Result string

const (
	// Agrees: computed again from its inputs, with the same bytes as a result.
	Agrees Result = "agrees"
	// Differs: computed again, with another result. Something is wrong.
	Differs Result = "differs"
	// Given: an input of the computation, which nothing in a trace can confirm, or
	// what would confirm it was not kept.
	Given Result = "given"
)

// Check is what came of computing something again.
type Check struct {
	Result Result `json:"result"`
	// What was checked, and how, in a few words.
	What string `json:"what"`
}

// Checks sums up every check of a connection.
type Checks struct {
	Secrets int `json:"secrets"` // re-derived, with the same result
	Keys    int `json:"keys"`    // re-derived, with the same result
	Records int `json:"records"` // protected ones opened again, with the same result
	// Proofs are the signatures, Finished values and binders that hold.
	Proofs int `json:"proofs"`
	// Failures is a line for each check that did not agree; empty is good.
	Failures []string `json:"failures"`
}

// OK reports that no check disagreed.
func (c Checks) OK() bool { return len(c.Failures) == 0 }
