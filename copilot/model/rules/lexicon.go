package rules

import "strings"

// A class is what a word can be in a request. A word may be of several.
type class string

const (
	filler   class = "filler" // says nothing
	verb     class = "verb"   // make, add, give
	negation class = "negation"
	question class = "question"
	it       class = "it" // the layer or the template that is spoken of

	dark       class = "dark"
	theme      class = "theme" // mode, theme, variant
	resize     class = "resize"
	sizeNoun   class = "size"
	preset     class = "preset"
	dimensions class = "dimensions" // 1200x630
	picture    class = "picture"    // the template as a whole
	relayout   class = "relayout"

	generate   class = "generate"
	background class = "background"
	kind       class = "kind" // of backgrounds
	pick       class = "pick"
	ordinal    class = "ordinal"
	count      class = "count"

	grow    class = "grow"
	shrink  class = "shrink"
	much    class = "much"
	little  class = "little"
	percent class = "percent"
	pixels  class = "pixels"
	weight  class = "weight"
	slant   class = "slant"
	line    class = "line" // under or through the letters
	letters class = "letters"
	color   class = "color" // a value
	hue     class = "hue"   // the word color
	align   class = "align"
	center  class = "center"
	side    class = "side"
	move    class = "move"
	hide    class = "hide"
	show    class = "show"
	remove  class = "remove"
	change  class = "change"
	quote   class = "quote" // a text in quotes
	wording class = "wording"
	only    class = "only" // in a size alone

	undo  class = "undo"
	check class = "check"
)

// words are what is understood: class, value, and the words that mean it, with the
// letters of English: ä is a, ß is ss. What stands in one line with the class
// filler is understood and says nothing.
//
//nolint:misspell // what people write, in four languages and with slips of the pen
const words = `
filler - a an the teh hte to of for in into on at with from by as please pls plz kindly now just hey hi hello me my our us your it's its that's can could would will you i i'd i'm i'll we want like need wants let's let lets so that which should be is are am have has some any also too again them they there up thanks thank ok okay one ones
filler - der die das den dem des ein eine einen einem einer eines fur fuer mir uns bitte im in ins zu zum zur als von aus mit auf an mal doch ich mochte moechte hatte haette gern gerne kannst konntest du daraus davon hier
filler - el la los las un una unos unas para por favor de del en al con que se me mi nos quiero quisiera puedes podrias lo
filler - le les l d un une des pour s'il te vous plait svp merci en au aux du de dans sur avec moi nous je j veux voudrais peux pouvez que qu

verb - make add create build give do get put set turn produce provide show-me design render need apply convert switch
verb - mach mache machen erstelle erstellen erstell gib fuge fuege hinzu anlegen leg lege brauche bau baue
verb - haz hacer hazme crea crear creame anade anadir agrega agregar dame pon ponlo necesito
verb - fais faire cree creer ajoute ajouter donne donnez mets mettre prepare faites creez ajoutez

negation - not don't dont doesn't never no without nicht kein keine ohne sin nunca pas sans jamais
question - why what how when who where which? warum wie wieso por-que como pourquoi comment quand

it - it this that everything itself same selection selected es dies dieses diese dieser esto este esta ca ceci cela celui-ci cette cet ce
picture - template design image picture card banner graphic layout whole vorlage bild karte entwurf plantilla imagen diseno tarjeta modele visuel carte

dark - dark night black dunkel dunkle dunkles dunkler dunklen dunkel- oscuro oscura oscuros nocturno nocturna sombre sombres nuit fonce
theme - mode theme variant version variation scheme themed mode- modus variante fassung farbschema schema modo tema esquema version theme
dark+theme - darkmode dark-mode darktheme nightmode dunkelmodus dunkelmodus-variante nachtmodus nachtmodus-variante

resize - resize resizing adapt fit scale adjust reformat crop optimise optimize rescale size-it passe pass anpassen skaliere skalieren formatiere redimensiona redimensionar redimensionalo adapta adaptar ajusta ajustar adaptalo redimensionne redimensionner redimensionnez adapte adapter adaptez ajuste ajuster
sizenoun - size sizes format formats dimension dimensions resolution grosse groesse grossen formate tamano formato medida taille tailles
relayout - relayout re-layout rearrange reflow

generate - generate suggest propose offer try invent come-up create make produce show design need want give generiere generieren erzeuge erzeugen erstelle erstellen schlage vor vorschlagen zeig zeige mach mache gib brauche genera generar generame sugiere propon crea crear haz hazme dame muestra necesito genere generer generez propose proposer proposez cree creer fais faites donne
background - background backgrounds backdrop backdrops bg bgs hintergrund hintergrunde hintergruende hintergrunden fondo fondos fond fonds arriere-plan arriere-plans arrieres-plans
kind=gradient - gradient gradients verlauf verlaufe verlaufs- farbverlauf farbverlaufe degradado degradados degrade degrades
kind=mesh - mesh meshes blob blobs soft blurry aurora
kind=pattern - pattern patterns patterned muster gemusterte patron patrones motif motifs dots dotted stripes striped grid geometric texture textures
kind= - different new other more fresh alternative nice beautiful verschiedene neue andere mehr diferentes distintos nuevos otros mas differents nouveaux autres plus jolis bonitos schone ideas options candidates variants
generate - backgrounds backdrops bgs hintergrunde hintergruende fondos fonds arriere-plans arrieres-plans
pick - use pick choose take apply select keep set nimm nehme wahle waehle benutze usa elige escoge utilise choisis prends

grow - bigger larger big large huge enlarge increase grow greater taller
shrink - smaller small tiny little-r reduce decrease shrink
much - much far lot way considerably very significantly
little - bit slightly slight little somewhat touch tad
weight=700 - bold bolder heavy heavier strong stronger fat fatter bolded
weight=400 - regular unbold normal thin thinner lighter
slant=italic - italic italics slanted italicize italicise
line=underline - underline underlined
line=line-through - strikethrough
letters=uppercase - uppercase caps capitals all-caps capitalize capitalise
letters=lowercase - lowercase
hue - color colour colored coloured colors colours
align - align aligned justify alignment
center - center centre centered centred middle centring centering
side=left - left leftwards left-hand
side=right - right rightwards right-hand
side=top - top upwards higher
side=bottom - bottom down downwards lower
move - move shift push place position nudge drag bring
hide - hide hidden invisible disappear conceal
show - show unhide visible reveal reappear
remove - remove delete drop erase kill rid
change - change swap replace set switch update edit paint recolor recolour make turn color colour
wording - text wording words say says read reads copy content label
only - only alone

undo - undo revert rollback roll-back undone
check - check checks verify validate test lint contrast readable audit inspect
`

// lexicon are the words with what they can be: a value for each class.
var lexicon = func() map[string]map[class]string {
	all := map[string]map[class]string{}
	for entry := range strings.Lines(words) {
		head, list, ok := strings.Cut(strings.TrimSpace(entry), " - ")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(head, "=")
		for _, w := range strings.Fields(list) {
			if all[w] == nil {
				all[w] = map[class]string{}
			}
			for c := range strings.SplitSeq(name, "+") {
				if c == "sizenoun" {
					c = string(sizeNoun)
				}
				all[w][class(c)] = value
			}
		}
	}
	for w, n := range numbers {
		if all[w] == nil {
			all[w] = map[class]string{}
		}
		all[w][count] = n
	}
	for w, n := range ordinals {
		if all[w] == nil {
			all[w] = map[class]string{}
		}
		all[w][ordinal] = n
	}
	return all
}()

var numbers = pairs(`two 2 three 3 four 4 five 5 six 6 seven 7 eight 8 nine 9 ten 10 twelve 12 few 3 several 5 couple 2 dozen 12
	zwei 2 drei 3 vier 4 funf 5 fuenf 5 sechs 6 sieben 7 acht 8 neun 9 zehn 10 einige 5
	dos 2 tres 3 cuatro 4 cinco 5 seis 6 siete 7 ocho 8 nueve 9 diez 10 algunos 5
	deux 2 trois 3 quatre 4 cinq 5 six 6 sept 7 huit 8 neuf 9 dix 10 quelques 5`)

var ordinals = pairs(`first 1 1st 1 second 2 2nd 2 third 3 3rd 3 fourth 4 4th 4 fifth 5 5th 5 sixth 6 6th 6 seventh 7 7th 7 eighth 8 8th 8 last -1
	ersten 1 zweiten 2 dritten 3 vierten 4 funften 5 primer 1 primero 1 segundo 2 tercer 3 tercero 3 cuarto 4 quinto 5
	premier 1 deuxieme 2 troisieme 3 quatrieme 4 cinquieme 5`)

// A format is a size that people call by a name.
type format struct {
	name, label string
	w, h        int
	words       string // alternatives, separated by ;
}

// formats are the sizes that are asked for by name.
var formats = []format{
	{"story", "Instagram Story", 1080, 1920, "instagram story;instagram stories;insta story;ig story;story;stories;instagram reel;reel;reels;tiktok;snapchat;historia de instagram;historias de instagram;story instagram;stories instagram;historia;histoire instagram;instagram historia;whatsapp status"},
	{"square", "Square post", 1080, 1080, "square post;square;instagram post;insta post;instagram square;1:1;quadrat;quadratisch;quadratisches;quadratische;quadratischen;cuadrado;cuadrada;carre;carree;post instagram;post de instagram;instagram;insta"},
	{"portrait", "Portrait post", 1080, 1350, "portrait post;instagram portrait;portrait;4:5;hochformat;vertical post"},
	{"link", "Link preview", 1200, 630, "link preview;open graph;og image;og;opengraph;facebook link;facebook post;facebook;social preview;share image"},
	{"twitter", "X post", 1600, 900, "twitter post;twitter;x post;tweet;twitter card"},
	{"youtube", "YouTube thumbnail", 1280, 720, "youtube thumbnail;youtube thumb;youtube;video thumbnail;thumbnail;16:9"},
	{"pin", "Pinterest pin", 1000, 1500, "pinterest pin;pinterest;pin;2:3"},
	{"banner", "X header", 1500, 500, "twitter header;x header;header image"},
	{"linkedin", "LinkedIn post", 1200, 627, "linkedin post;linkedin"},
	{"email", "E-mail header", 1200, 400, "email header;newsletter header"},
	{"facebook-cover", "Facebook cover", 1640, 624, "facebook cover;facebook header"},
	{"a4", "A4", 1240, 1754, "a4;din a4"},
	{"hd", "Full HD", 1920, 1080, "full hd;fullhd;1080p;slide;presentation;powerpoint;landscape;querformat"},
}

func pairs(list string) map[string]string {
	all := map[string]string{}
	f := strings.Fields(list)
	for i := 0; i+1 < len(f); i += 2 {
		all[f[i]] = f[i+1]
	}
	return all
}
