package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// What a request waits for must not look through the rows of the whole ledger.
func TestRequestsFindTheirRowsByAnIndex(t *testing.T) {
	s := newSQLite(t)
	for name, c := range map[string]struct {
		query string
		want  string
	}{
		"the images of a row":         {imagesOfRow, "(owner=? AND idx=? AND key=?)"},
		"the problem of a row":        {problemOfRow, "(owner=? AND idx=? AND key=?)"},
		"the newest images":           {newestImages, "n USING INDEX images_newest"},
		"the gallery":                 {galleryOfAll, "n USING INDEX images_newest (rendered_at>? AND rendered_at<?)"},
		"the gallery of a binding":    {galleryOfOwner, "n USING INDEX images_of_owner (owner=? AND rendered_at>? AND rendered_at<?)"},
		"the gallery of a row":        {galleryOfRow, "(owner=? AND idx=? AND key=?)"},
		"who shows bytes":             {imagesOfBytes, "n USING INDEX images_hash (hash=?)"},
		"how images were made":        {makingsOf, "(fingerprint=?)"},
		"how their bytes were":        {makingsOfHash, "r USING INDEX renders_hash (hash=?)"},
		"what an image was before":    {pastOfImage, "(owner=? AND idx=? AND key=?)"},
		"the rows that failed":        {failedRows, "USING INDEX items_failed"},
		"the renders of bytes":        {rendersOfHash, "USING INDEX renders_hash"},
		"how texts of rows came out":  {fittingsOfRows, "(owner=? AND idx=? AND key=?)"},
		"how their renders are found": {fittingsOfRows, "(fingerprint=?)"},
		"the renders of a job's page": {picturesOfJob, "(fingerprint=?)"},
		"what waiting images show":    {shownWhileWaiting, "USING INDEX images_waiting"},
		"how bytes were made":         {specsOfHashes, "USING INDEX renders_hash"},
		"the files that images show":  {pinsShown, "(owner=?)"},
		"and their pins":              {pinsShown, "SEARCH p USING INDEX sqlite_autoindex_asset_pins_1 (id="},
		"what shows other files":      {stalePictures, "SEARCH u USING INDEX sqlite_autoindex_render_pins_1 (fingerprint=?)"},
		"the images of bytes":         {rehashImages, "USING INDEX images_hash"},
		"what rested long enough":     {dueAgain, "USING INDEX renders_resting"},
		"whether there is work":       {`SELECT ` + dueRenders, "renders USING COVERING INDEX renders_resting"},
		"the owner who is next":       {nextOf, "USING INDEX renders_waiting (priority=? AND owner>?)"},
		"the priority behind one":     {behind, "USING INDEX renders_waiting (priority>?)"},
		"the images that show bytes":  {shownBytes, "SEARCH images USING INDEX images_hash (hash=?)"},
		"the files of bytes":          {shownBytes, "SEARCH asset_pins USING COVERING INDEX asset_pins_digest (digest=?)"},
		"the experiments of bytes":    {shownBytes, "SEARCH experiment_pictures USING COVERING INDEX experiment_pictures_hash (hash=?)"},
		"the units of an experiment":  {assignmentsOf, "SEARCH a USING INDEX sqlite_autoindex_experiment_assignments_1 (experiment=? AND unit=?)"},
		"events that are there":       {eventsOfIDs, "SEARCH k USING COVERING INDEX sqlite_autoindex_experiment_events_2 (experiment=? AND id=?)"},
		"jobs that are shown":         {jobsDue, "experiment_assignments_placed (owner=? AND experiment=?)"},
		"bytes to be made again":      {remakableBytes, "SEARCH r USING INDEX renders_hash (hash=?)"},
		"and who shows them":          {remakableBytes, "SEARCH g USING INDEX images_hash (hash=?)"},
		"jobs that are due":           {jobsDue, "SEARCH j USING INDEX jobs_ended"},
		"renders nobody wants":        {"DELETE FROM renders WHERE " + unwantedRenders, "SEARCH g USING INDEX images_hash (hash=?)"},
		"the deliveries that are due": {dueDeliveries, "SEARCH d USING INDEX deliveries_waiting (sink=? AND due_at<?)"},
		"and what goes before them":   {dueDeliveries, "SEARCH b USING INDEX deliveries_thread (sink=? AND owner=? AND key=?)"},
		"deliveries that arrived":     {arriveDeliveries, "SEARCH deliveries USING INDEX sqlite_autoindex_deliveries_1 (id=?)"},
		"sinks with something to do":  {unattendedSinks, "SEARCH d EXISTS USING COVERING INDEX deliveries_waiting (sink=? AND due_at<?)"},
		"and how they hop":            {unattendedSinks, "SEARCH d USING COVERING INDEX deliveries_waiting (sink>?)"},
	} {
		var plan []string
		args := []any{"60", "[60]", 60}[:min(strings.Count(c.query, "$"), 3)]
		for n := 4; strings.Contains(c.query, fmt.Sprint("$", n)); n++ {
			args = append(args, 60)
		}
		if err := s.reader().each(t.Context(), "EXPLAIN QUERY PLAN "+c.query, args, func(scan func(...any) error) error {
			var id, parent, unused int
			var step string
			err := scan(&id, &parent, &unused, &step)
			plan = append(plan, step)
			return err
		}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text := strings.Join(plan, "; "); !strings.Contains(text, c.want) {
			t.Errorf("%s are found by %q, want %q", name, text, c.want)
		}
	}
}

// In PostgreSQL keys are looked up at what a page costs without a disk's head, unless the
// operator says that it is less.
func TestPagesCostAsMuchAsTheyDo(t *testing.T) {
	for said, want := range map[string]string{"4": "1.1", "1.05": "1.05"} {
		t.Run(said, func(t *testing.T) {
			s := opened(t, pgtest.With(pgtest.New(t).DSN, "random_page_cost", said))
			var got string
			if err := s.db.QueryRowContext(t.Context(), `SELECT current_setting('random_page_cost')`).Scan(&got); err != nil || got != want {
				t.Errorf("a page costs %s, %v; want %s", got, err, want)
			}
		})
	}
}
