package diagnose

// trialRules are the causes that only further connections can tell: what matches them are the
// answers of trials, not an account.
var trialRules = []rule{}
