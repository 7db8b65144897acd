package api

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/starter"
)

// explanations say what a problem's type means, for those who follow its address.
var explanations = map[string]string{
	"job_state":          "The job's state does not take this. The answer names the state and what may be done instead; moves of GET /jobs says it of each job.",
	"nothing_to_retry":   "Every row of the job succeeded, so that there is nothing to retry.",
	slugNoRoute:          "No route has this path. GET / shows the first page; the hint of the answer names the nearest route.",
	slugMethod:           "The path exists, but not for this method. The header Allow of the answer lists those that it takes.",
	slugHost:             "Without a key pictifyd answers only to names of this machine, so that no web page can reach it under a name of its own. Set server.public_url to the name in use, or add a key under server.keys.",
	slugOrigin:           "A browser sent the request for a page of another origin. Set server.public_url to the address in the browser's bar, or call with Authorization: Bearer KEY.",
	slugNoKey:            "The route needs a key. Send Authorization: Bearer KEY, with a key of server.keys or one that was made over the API.",
	slugBadKey:           "The key that was sent is not known. It may have been revoked, have expired, or be cut while copying.",
	slugScope:            "The key is known, but is not for this. Give it the scope that the answer names, or the template, where it was made.",
	slugGuesses:          "The address that asks has sent many keys that are not known. Until it has rested, keys that did not come from it before are not looked at. Check the keys that your programs send. Behind a proxy all clients have its address, unless server.trusted_proxies names it.",
	slugRate:             "The key has asked more often than its rate allows. X-RateLimit-Remaining says how many requests are left at once, Retry-After when there is one again.",
	slugKeyNotFound:      "No key has this name or id. GET /keys lists them.",
	slugKeyConfigured:    "The key stands in the configuration, which the API does not change. Take it out of server.keys.",
	slugKeyName:          "Another key has this name. Revoke it first, or choose another name.",
	apikey.QuotaExceeded: "The images asked for are more than what is left of the key's quota in this day or month of UTC. Nothing of the request was accepted. Retry-After says when the next one begins.",
	apikey.QuotaTooSmall: "The images asked for are more than the key's whole quota. Send fewer, or have the quota raised.",
	slugNotReady:         "The image is known and is being made. Ask again after the seconds of the header Retry-After.",
	slugImageNotFound:    "No image has this address: no row of the binding has this key, the binding makes no such output, or the bytes are not kept any more.",
	slugImageRemoved:     "The row is gone from its source, and the binding removes images of such rows (on_delete: remove).",
	slugImageFailed:      "The row can't be rendered, and never was: the answer says which variable is at fault. Correct the row in its source.",
	SlugNoStream:         "The source does not tell of its changes: it is read every so often, or its rows are sent. Its next reading reads all rows, and tries again what is kept out of it: POST /bindings/NAME/refresh.",
	SlugNoReplay:         "A source of this kind can't make a row of what it told before. POST /sources/NAME/resnapshot has all its rows read again.",
	slugBindingNotFound:  "The configuration has no binding of this name. GET /bindings lists them.",
	slugTemplateNotFound: "No template of this name is published, or the key may not use it. GET /templates lists them. A file NAME.html in the templates folder becomes one, " +
		"unless it has an error, which pictifyd check shows.",
	"asset_not_found":     "The draft has no file of this path. GET /templates/NAME/draft/assets lists those that it has.",
	"not_a_font":          "The file is no font of a form that browsers read: WOFF2, WOFF, TTF or OTF, or it is damaged.",
	"no_head":             "A font's rule stands in the document's <head>, and the document has none. Add <head></head> in the source.",
	"bad_signature":       "A remote picture is shown only at an address that a drawing of this server gave. Draw the view again: its addresses end with the server's process.",
	"unknown_format":      "The format is none that the route takes. The answer says which there are.",
	"unknown_place":       "Rows come from samples, binding:NAME, source:NAME or job:ID.",
	slugDeliveryNotFound:  "No delivery has this id. What arrived is kept until something newer of the same row has arrived, and a row that is deleted takes its deliveries with it. GET /deliveries lists those that there are.",
	slugNoLetters:         "No dead letter has this cause or these ids any more: somebody has replayed or discarded them, or their rows were deleted. GET /dead-letters shows what there is.",
	slugNoSelection:       "A request that moves many dead letters has to say which: a cause of GET /dead-letters, a sink, a binding, a time since, or ids.",
	slugNoReason:          "Whoever discards a dead letter says why: the reason is kept with it.",
	slugSinkGone:          "The sink of the delivery is no longer configured, so that nobody can be told. Discard the delivery, or configure the sink again.",
	"delivery_waiting":    "The delivery waits or is on its way already. It is sent when its time comes; where its sink is paused or disabled, POST /sinks/NAME/resume.",
	"delivery_superseded": "Something newer about the same row was told instead, or is about to be. Replay the newest delivery of the row.",
	"delivery_discarded":  "A person has discarded the delivery. POST /sinks/NAME/redeliver tells a sink what it should know.",
	"delivery_not_dead":   "Only a dead letter, which was given up, can be discarded.",
	slugBadUnit:           "A unit is your own id of who sees an image: 1 to 200 bytes of UTF-8 without control characters, percent-encoded in addresses. It cannot be . or .. .",
	slugNotStarted:        "A draft gives nobody a variant. POST /experiments/ID/start starts it.",
	"bad_event":           "The event lacks something, or has what cannot be taken. The answer names the field.",
	"write_key_invalid":   "Each experiment has a write key of its own, which GET /experiments/ID gives. Send it as X-Write-Key with the events of that experiment.",
	"no_destination":      "The experiment says nowhere where a click leads. Set goalConfig.destinationUrl.",
	"unknown_channel":     "Units are assigned for email, where they count at once, or for web, where they count when they are shown the image.",
	slugJobNotFound:       "No job has this id, or its results are not kept any more. GET /jobs lists the newest.",
	slugJobExpired: "The job ended so long ago that its rows and results are kept no longer (keep.results). Pictures that a binding shows as well are still there. " +
		"Send the batch again: what is still kept is not rendered again.",
	slugJobDeleted:  "Somebody deleted the job, with its rows, results and the pictures that only it had.",
	"job_running":   "A job that has not ended cannot be deleted, nor can its rows. Cancel it first, or wait for its end.",
	slugRowNotFound: "No row has this key. Keys in paths are percent-encoded, their columns joined by commas.",
	slugDiskLow:     "Less disk is free than keep.min_free asks for, so that nothing more is taken in: the store could not record it. Work that was accepted goes on. Ask again after the seconds of the header Retry-After.",
	slugIdempotency: "The Idempotency-Key was used for another request. The same key gives the same answer only for the same body; use a new one.",
	slugCutBody:     "The body ended before its end. Nothing of it was accepted: send it again, with the same Idempotency-Key.",
	slugMalformed:   "The body is not of the form that the route reads.",
	"bad_json":      "The body is not JSON. The answer says near which byte.",
	slugStandby:     "This pictifyd was started with --standby and waits: another one works with the store. GET /readyz tells them apart, so that a load balancer asks the one that works.",
	slugNotHere:     "This pictifyd has none of the roles api and connect: it draws or delivers for the others. Ask one that has.",
	slugNoHolder:    "No process holds the ledger at this moment, and nothing of the request was begun. Another one takes over within 10 s; ask again after the seconds of Retry-After.",
	slugHolderLost: "The process that had the request is gone, or was cut off, while it answered. What it did was kept whole or not at all: look, " +
		"or send the request again under the same Idempotency-Key.",
	slugBusy: "So many requests for pictures are in work that no more are taken. Ask again after the seconds of Retry-After. " +
		"Many rows at once are a batch; server.now.at_once is how many requests may be in work.",
	slugRenderRate: "Signed addresses had as many new pictures made in a minute as server.now.per_url_key or per_address allows. " +
		"Pictures that are there are served all the time.",
	slugSignature:        "The address is not signed, or was signed for other bytes or with another key. The path and the query before &sig= are signed as they are sent; docs/now.md has examples.",
	slugExpired:          "The address was good until the time that its parameter exp says. Sign a new one.",
	"not_supported":      "Another product takes this field, and pictifyd does not: it renders HTML that it is given, without scripts and without fetching foreign pages.",
	slugGuardMoved:       "Something else is held by now than what was accepted. Look again, then accept that.",
	"too_many_rows":      "A request brings at most 100,000 rows. Send several, or put the rows where pictifyd can read them and name the place as sourceUrl, which may have a million.",
	"body_too_large":     "The body is larger than a batch may be: 1 GiB after it is unpacked. Send several batches.",
	"row_too_large":      "A row, or a field beside the rows, is so large that its end is not looked for: more than 16 MB. A row has at most 1 MB; in a CSV, see whether a quote is left open.",
	"bad_table":          "The table can't be read: its header names a column twice or not at all, a quote is left open, or it is not UTF-8. The answer names the line.",
	"bad_workbook":       "The body is no .xlsx workbook, is cut short, or has a password.",
	"workbook_too_large": "The workbook is larger than is unpacked: 100 MB as it is sent, 256 MB unpacked, 20 million cells. Send the sheet as CSV.",
	slugSourceNotFound:   "The configuration has no source of this name, or the key may use none of the templates of its bindings.",
	slugSourceRefused: "The sourceUrl leads where pictifyd may not go: by default addresses of this machine and of private networks. " +
		"What callers may make pictifyd reach is set under egress:.",
	slugSourceFailed: "The source of the run could not be read: run.error says why. Or the document at sourceUrl could not: its server did not answer as it should, it broke off, or it is none of CSV, TSV, JSON, NDJSON and XLSX.",
	batch.NoRows:     "The place that the batch names has no rows.",
	"webhook_refused": "The webhookUrl leads where pictifyd may not go: by default addresses of this machine and of private networks. " +
		"What callers may make pictifyd reach is set under egress:.",
	slugNoIfMatch:       "The request changes what others may be changing too. Send the ETag of what you saw as If-Match; for a template that is not there yet, If-None-Match: *.",
	slugBadIfMatch:      "If-Match is the ETag of an answer, as it was sent: a revision of a draft, or the number of a version.",
	starter.NotFound:    "No starter has this name. GET /starters lists them; without from, a template begins with the html that is sent.",
	slugBadName:         "A template's name is of letters, digits, dots, dashes and underscores, up to 63, and begins with a letter or a digit. Some words are taken by the API.",
	draft.BadArchive:    "The archive is not one of a template: a ZIP with NAME.html and its files under assets/.",
	draft.StaleRevision: "The draft has changed since the revision that was named. Read it again, and decide again.",
	draft.RevisionGone:  "The draft has no such revision, or one so old that nothing can be gone on with from it. Read the draft again, and make the change there.",
	draft.EditConflict:  "Somebody else changed the same meanwhile. The conflicts of the answer have both values: read the draft again, and make the change that shall stand.",
	draft.NothingToUndo: "The draft has no step of this author that still stands, since the document was last replaced as a whole.",
	draft.VersionMoved: "Something else stands where the document would go: a version that came by another door, or a file in the templates folder. " +
		"The texts of the answer have both. To publish the draft all the same, send their digest as over.",
	slugHolderUntrusted:      "The process that holds the ledger could not show by its certificate that it is the one, so nothing was sent to it. Its certificate has to be for the name of server.public_url, of an authority that this machine trusts.",
	slugRowFailed:            "The source could not be asked for the row whose image this is. Its log has why; ask again after Retry-After. on_error: serve_stale or serve_default of the binding's live serves another image meanwhile.",
	slugRowLate:              "The source, or the drawing, took longer than timeout of the binding's live. Ask again after Retry-After: the row may be there by then.",
	"binding_paused":         "A person has paused the binding: its images stay as they are. POST /bindings/NAME/resume goes on.",
	"never_read":             "The rows of this source are sent to it or asked for one by one, so that there is nothing to read.",
	"kind_refused":           "Sources or sinks of this kind reach what is the operator's, and are only for the configuration.",
	"no_seal_key":            "A secret is kept sealed only. Set store.seal_key, or name a secret of the configuration: secret://NAME.",
	"bad_secret":             "There is no such secret for callers, or it cannot stand here. secrets: of the configuration says which may be used as secret://NAME.",
	"lookup_unread":          "The binding joins a source that was not read yet. It goes on after the first reading of that source.",
	"lookup_missing":         "The row has no row to join in a lookup with required: true. Correct its key, or add the row that it names.",
	"guard_held":             "The run changed more than the guard of its binding lets through. GET /bindings/NAME/guard shows it, POST /bindings/NAME/guard/accept lets it through; then run it again.",
	"binding_unable":         "The binding cannot work as it is configured, or is paused. GET /bindings/NAME says why.",
	"source_gone":            "The source of the run is no more.",
	"sink_not_found":         "There is no sink of this name. GET /sinks lists them.",
	slugNoSubscription:       "No webhook subscription has this id, or the key may not see it. GET /webhook-subscriptions lists them.",
	"subscription_moved":     "The subscription was changed since the revision that was named. Read it again, then change it.",
	"subscription_exists":    "Another subscription of the key hears the same at this address. Keep one of them.",
	"too_many_subscriptions": "The key, or all keys together, have as many webhook subscriptions as are kept. Delete some, or raise server.limits.",
	slugInUse:                "Bindings use it. Delete them first, or have them use another.",
	SlugOfFile:               "It stands in the configuration, which the API does not change. Change it in the file.",
	"address_refused":        "The address leads where pictifyd may not go for callers. egress: of the configuration says what they may reach.",
	"out_of_range":           "The value of the field is too small or too large. The answer names the bounds.",
	"too_long":               "The text of the field is longer than the answer says it may be.",
	"required":               "The field is missing, and nothing can stand in for it.",
	"invalid_type":           "The field has a value of another type than it wants.",
	"wrong_type":             "The field has a value of another type than it wants.",
	"invalid_format":         "The text of the field has not the form that it wants.",
	"given_twice":            "The request says the same twice, in two ways. Leave one of them out.",
	"unknown_field":          "The request has a field that there is not. The hint names the nearest.",
	"unknown_size":           "The template has no size of this name. GET /templates/NAME lists its sizes.",
	"unknown_variable":       "The template has no variable of this name. GET /templates/NAME/variables lists them.",
	"bad_key":                "A row's key is its key columns as text, joined by commas, each percent-encoded; or a list of their texts.",
	slugNotEnded:             "The job has not ended, and this is of the whole of it. Ask again when its status says so.",
	"job_retried":            "The failed rows of the run are being made again. This delivery was of its end before; its next end is told of.",
	"no_pdf":                 "The job has no PDFs that could be put together: none of its outputs is one.",
	"pdf_vanished":           "A PDF of the job is not kept any more. Have the rows made again.",
	"unsupported_media_type": "The body is of a type that the route does not read. The answer names those that it does.",
	"unsupported_encoding":   "The body is packed in a way that is not read. The hint names those that are.",
	"hook_refused":           "The call to /hooks/ is not known to be from its sender. See that both have the same secret, that the clocks are right within five minutes, and that no proxy changes the body.",
	"hook_not_found":         "No webhook source has this path. GET /sources says where each is called.",
	"hook_too_large":         "The body is larger than max_size of the source, as it is sent or unpacked. Send fewer rows in a call.",
	"hook_without_id":        "The call has no id by which it could be known when it comes again, and the source says where it should be.",
	"hook_path_taken":        "Another source is called at this path. Paths are unique.",
	"hook_unguarded":         "Nothing says who may send rows. A webhook source wants a secret or another check; open: true is for a server that only this machine reaches.",
	"port_in_use":            "Another program listens on the port of server.listen.",

	copilot.Busy:        "The copilot works on the template already; the answer names the run. Wait for its end, or cancel it: POST /copilot/runs/ID/cancel.",
	copilot.NotFound:    "No run of the copilot has this id, it is not kept any more (copilot.keep), or the key may not use its template. GET /copilot/runs lists them.",
	copilot.NotOpen:     "The run has ended, and takes no answer and no cancelling. Start another one.",
	copilot.NotEnded:    "The copilot is still at work on the run. Wait for its end, or cancel it, then accept or reject its steps.",
	copilot.NoStep:      "The run has no such step, candidate or question now. GET /copilot/runs/ID shows those it has.",
	copilot.NoModel:     "No model of this name is configured. GET /copilot/models lists those that there are.",
	copilot.Interrupted: "pictifyd ended in the middle of the run. The steps that it took are in its list and can be rejected; start another run.",
	copilot.OutOfBudget: "The run used up what it was given. Look at the steps that it took; give it more in copilot.budget of the configuration, or ask for less at once.",
	copilot.Stuck:       "The model repeated what was refused, or said nothing that could be done. Say it in other words, or take another model.",
	copilot.Refusal:     "The model does not want to do this. Its words are in the answer.",
	slugNotPublished:    "An experiment shows published versions, and what it should show is only in the draft. POST /templates/NAME/publish, then make the experiment.",
	"no_variants":       "The run made nothing that an experiment could compare with the template as it is. Ask the copilot for a variant.",
	"picture_not_found": "The run has no picture of this name. Its steps, candidates and events name those that it has.",
	"step_not_found":    "No edit led to this revision of the draft, or it is so old that it is not kept any more.",
	"already_undone":    "The step was taken back already.",
	"step_replaced":     "The whole document was replaced since (discarded, restored, or pushed), so that nothing of the step is left to take back.",

	slugNoExperiment:       "No experiment has this id or slug, or the key may not use its templates. GET /experiments lists them.",
	slugNoVariant:          "The experiment has no variant of this id. The answer names those that it has.",
	SlugExperimentMoved:    "The experiment was changed since the revision that was named. Read it again, then change it.",
	"invalid_transition":   "The status of the experiment does not take this. The answer says which status it has and what may be done instead.",
	"frozen_field":         "The experiment has begun, and this would have it compare what is not the same. Complete it, and make another one with a slug of its own.",
	"slug_taken":           "Another experiment has this slug, or had it: slugs stand in mails and pages, and are never given twice. Choose another one.",
	"bandit_moves_weights": "A bandit moves the weights of the experiment, and would move them back. Complete the experiment with the variant that shall win.",
	"minimum_not_reached":  "The numbers do not name a winner yet; the answer says what is missing. Wait, or send force: true when a person knows better than the numbers.",

	string(problem.Invalid):      "Something in the request is wrong; errors in the answer lists the fields.",
	string(problem.NotFound):     "What the path names does not exist.",
	string(problem.Conflict):     "The request does not fit the present state.",
	string(problem.Unauthorized): "The route needs a key.",
	string(problem.Forbidden):    "The key may not do this.",
	string(problem.TooLarge):     "The request is larger than the limit that the answer names.",
	string(problem.Overloaded):   "There is too much to do right now. Ask again after the seconds of the header Retry-After.",
	string(problem.Upstream):     "A server that pictifyd depends on did not answer as it should.",
	string(problem.Unsupported):  "The form of the request is not one that pictifyd reads.",
	string(problem.Timeout):      "It took too long.",
	string(problem.Surroundings): "The machine that pictifyd runs on lacks something; pictifyd doctor says what.",
	string(problem.Internal):     "Something went wrong inside pictifyd. Its log has the rest, under the requestId of the answer.",
}

var slugForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// explainError says what the type of a problem means.
func (s *Server) explainError(w http.ResponseWriter, r *http.Request) error {
	slug := strings.ReplaceAll(r.PathValue("slug"), "-", "_")
	if !slugForm.MatchString(slug) {
		return s.noPath(r)
	}
	text, ok := explanations[slug]
	if !ok { // the word of another room, which says more in each answer than could be said here
		text = "The detail of the answer, or of the row, says what is wrong; its field says where, and its hint what to do next."
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=3600")
	_, _ = fmt.Fprintf(w, "%s\n\n%s\n", title(slug), text)
	return nil
}
