"""The vocabulary of the grammars. Nothing here is a rule."""

from __future__ import annotations

# ruff: noqa: SIM905 (a line of words reads better than a column of quoted ones)

PEOPLE = (
    "Anna Ben Clara David Emma Felix Grace Henry Iris Jonas Karin Leo Maria Nils Olga Paul Rosa Simon Tina Victor"
).split()
ITEMS = "apples books coins cards pens stamps shells marbles cookies stickers beads eggs".split()
BOXES = "boxes bags baskets shelves".split()
JOBS = "baker pilot doctor farmer teacher singer painter lawyer driver nurse cook writer".split()
CITIES = "Rome Oslo Paris Madrid Berlin Vienna Lisbon Dublin Athens Prague Warsaw Zurich".split()
DRINKS = "tea milk coffee juice water cocoa".split()
PLACES = "market park library station museum garden school harbor".split()
GROUPS = {
    "animals": "bear cat dog eagle fox goat horse lion mouse owl rabbit snake tiger wolf zebra".split(),
    "fruits": "apricot banana cherry fig grape kiwi lemon mango orange peach quince".split(),
    "tools": "axe brush drill hammer knife ladder needle rope saw shovel".split(),
    "colors": "black gold green indigo pink red silver violet white yellow".split(),
}
DISHES = "soup salad stew cake pie sauce".split()
INGREDIENTS = "butter carrots cheese flour honey onions pepper rice salt sugar tomatoes beans".split()
VERBS = {
    "walks": "walked",
    "runs": "ran",
    "drives": "drove",
    "comes": "came",
    "returns": "returned",
    "hurries": "hurried",
}
ACTIONS = {
    "buys": "bought",
    "sees": "saw",
    "finds": "found",
    "brings": "brought",
    "wants": "wanted",
    "sells": "sold",
}
ADJECTIVES = (
    "brave calm clever cosy dark early fair fast fresh gentle happy kind late light lucky mild old "
    "plain proud quick quiet rare rich sharp shy small smart soft solid strong sweet swift tall warm wild wise"
).split()
NOUNS = (
    "bird boat bridge cloud coast door field flame flower forest hill island key lake lamp leaf moon "
    "mountain night ocean path pond river road rock rose sand sea ship snow star stone storm sun tower tree "
    "valley wave wind winter"
).split()
