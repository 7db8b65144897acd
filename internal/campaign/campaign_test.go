package campaign

import "testing"

func TestShortCampaignTakesEachNthAndALongOneAll(t *testing.T) {
	for env, want := range map[string]int{"": 4, "1": 10} {
		t.Setenv(Env, env)
		taken := 0
		for i := range 10 {
			if Takes(i, 3) {
				taken++
			}
		}
		if taken != want || Whole() != (env != "") {
			t.Errorf("%q takes %d of 10", env, taken)
		}
	}
}
