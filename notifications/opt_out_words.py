"""Decide what a donor's text says about our permission to text that number. No database.

An exact keyword, or a whole sentence that clearly asks us to stop, takes effect at once. A sentence that only contains
such words is a possible opt-out, and a coordinator decides.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from notifications import reply_text


class ReplyMeaning(StrEnum):
    """The meaning of an inbound text. Stored as the reply's `handled_as`."""

    STOP = "stop"
    STOP_OR_CANCEL = "stop_or_cancel"  # an opt-out for the carrier; the donor may have meant the booking
    STOP_IN_WORDS = "stop_in_words"  # an opt-out in a sentence; a coordinator reads it too, because it may say more
    MAYBE_STOP = "maybe_stop"  # a possible opt-out; texts pause until a coordinator decides
    START = "start"
    YES = "yes"  # START after an opt-out; otherwise the answer to a question
    HELP = "help"
    HELP_UNANSWERED = "help_unanswered"  # Spanish for help; the provider ignores this word, so a coordinator answers it
    REACTION = "reaction"  # "Loved “…”": shown in the conversation, with no other effect
    OTHER = ""


STOP_MEANINGS = frozenset({ReplyMeaning.STOP, ReplyMeaning.STOP_OR_CANCEL, ReplyMeaning.STOP_IN_WORDS})
CARRIER_STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "cancel"})
"""Twilio and the carriers act on these words and confirm them."""

_MISSPELLINGS = frozenset(
    {
        *("st0p", "stp", "sotp", "stpo", "stopp", "sttop", "stoop", "stopit", "stop it", "stop2end", "stop 2 end"),
        *("stop to end", "stop end", "stop all", "text stop", "reply stop", "stop texts", "s t o p"),
        *("unsubcribe", "unsuscribe", "unsubscrib", "unsubsribe", "unsubscibe", "unsubscrbe", "unsubscrive"),
        *("unsubscribed", "unsubcribed", "unscribe", "unsubcribe", "un subscribe", "unsubribe", "usubscribe"),
        *("remove", "optuot", "opt ou", "opt me out", "desuscribir", "desuscribirme", "desuscribirse", "desubscribir"),
        *("desinscribir", "desinscribirme", "anular suscripcion", "cancelar suscripcion"),
    }
)
_KEYWORDS: Mapping[ReplyMeaning, frozenset[str]] = MappingProxyType(
    {
        ReplyMeaning.STOP_OR_CANCEL: frozenset({"cancel", "cancelar", "cancela"}),
        ReplyMeaning.STOP: CARRIER_STOP_WORDS - {"cancel"}
        | {"opt out", "arret", "no mas", "no more"}
        | {"alto", "parar", "pare", "para", "basta", "baja", "detener", "detengan", "fin", "salir"}
        | _MISSPELLINGS,
        ReplyMeaning.START: frozenset({"start", "unstop"}),
        ReplyMeaning.YES: frozenset({"yes", "si"}),
        ReplyMeaning.HELP: frozenset({"help", "info"}),
        ReplyMeaning.HELP_UNANSWERED: frozenset({"ayuda"}),
    }
)
_FILLER_WORDS = re.compile(
    r"\b(?:please|pls|plz|kindly|(?:(?:and|n) )?(?:thanks|thank (?:you|u)|thx)(?: (?:so|very) much| a lot)?|por favor"
    r"|(?:y )?(?:muchas |mil )?gracias|now|ya|all|everything|todo)\b"
)
_REPEATED_WORD = re.compile(r"\b(\w+)( \1\b)+")
_SPACED_LETTERS = re.compile(r"\b\w( \w\b){2,}")

# Parts of the sentences that act at once -------------------------------------------------------------------------
# Each text must match a repeated part in only one way. With two ways, each repetition would double the search time.

_NAMED_TEXTS = (
    r"(?:texts?|txts?|text messages?|messages?|msgs?|sms|reminders?|notifications?|alerts?|invitations?|mailings?"
    r"|spam|calls?|calls and texts|texts and calls)"
)
_TEXTS = rf"(?:{_NAMED_TEXTS}|these|them|this)"
_WHICH = r"(?:(?:the|these|those|your|my|our|any|all|of|more|this|such|so many|daily|further|automated|other)\s)*"
_STOP_VERB = (
    r"(?:(?:stop|quit|cease|end|discontinue|disable)(?: it)?(?: with)?"
    r"|(?:turn|switch|shut|cut) off|halt|suspend|kill)"
)
_CONTACT = r"(?:communications?|contact|correspondence|texting|messaging)"
_RATHER_NOT = r"(?:(?:i )?(?:(?:would|d) (?:rather|prefer)|(?:id )?(?:rather|prefer)) not(?: to)?)"
_ME = r"(?:me|us|my (?:number|phone|cell|line)|this (?:number|phone|cell|line))"
_LIST = (
    rf"{_WHICH}(?:(?:text|texting|mailing|contact|call|phone|message|sms)\s)?(?:lists?|system|database|group|{_TEXTS})"
)
_START_OF_SENTENCE = (
    r"(?:(?:please|pls|plz|hi|hello|hey|ok|okay|sorry|just|kindly|no|yes|and|so|then|again|now|guys|yall|hi there"
    r"|(?:i (?:want|would like|wish|need|would prefer|prefer|asked|ask|am asking)|id (?:like|prefer)) (?:for )?"
    r"(?:you )?(?:guys )?to|you (?:need|have) to|you must)\s)*"
)
_END_OF_SENTENCE = (
    r"(?:\s(?:please|pls|plz|thanks|thank you|thx|now|immediately|already|anymore|any more|again|ever|asap|today"
    r"|right now|right away|at once|for good|from now on|at all|period|guys|to me|to us|from you|you|with (?:me|us)"
    r"|(?:to|at|on) (?:this|my) (?:number|phone|cell|line)))*"
)
_BOTHERING = r"(?:contacting|bothering|spamming|harassing|annoying|calling|blowing up)"
_ENGLISH = (
    # "please stop texting me", "quit sending these messages", "stop it"
    rf"(?:stop|quit|cease)(?: with)? (?:texting|txting|messaging|msging|writing|writing to|emailing)(?: {_ME})?",
    rf"(?:stop|quit|cease) {_BOTHERING} {_ME}",
    rf"(?:stop|quit|cease)(?: with)? (?:sending|sending out)(?: {_ME})?(?: {_WHICH}{_TEXTS})?",
    rf"(?:stop|quit) (?:getting|receiving) {_WHICH}{_TEXTS}",
    rf"(?:stop|quit|cease|end|discontinue|turn off|disable)(?: with)? {_WHICH}{_TEXTS}",
    rf"{_STOP_VERB} {_WHICH}(?:{_NAMED_TEXTS}|{_CONTACT})",
    rf"(?:turn|switch|shut|cut) {_WHICH}{_NAMED_TEXTS} off",
    # But "cancel this" and "cancel my invitation" may mean the booking.
    rf"cancel {_WHICH}{_NAMED_TEXTS}(?<!invitation)(?<! call)",
    # "I'd rather not get texts"
    rf"{_RATHER_NOT} (?:get|receive|have|see|be getting|be receiving) {_WHICH}{_TEXTS}",
    rf"{_RATHER_NOT} be (?:texted|contacted|messaged|bothered)(?: by you)?",
    # "don't text me", "never contact me again", "do not send texts"
    (
        rf"(?:do not|dont|never|no longer) (?:ever )?(?:text|txt|message|msg|contact|write|write to|bother"
        rf"|call or text) {_ME}"
    ),
    rf"(?:do not|dont|never|no longer) (?:ever )?send(?: {_ME})?(?: {_WHICH}{_TEXTS}| anything| any more| more)",
    # "I no longer wish to receive these", "I don't want your texts"
    (
        rf"(?:i )?(?:do not|dont|no longer|dont even) (?:want|wish|need|care|like)(?: to)?(?: (?:get|receive|have|see"
        rf"|be getting|be receiving))?"
        rf" {_WHICH}{_TEXTS}"
    ),
    r"(?:i )?(?:do not|dont|no longer) (?:want|wish|like) to be (?:texted|contacted|messaged|bothered)(?: by you)?",
    rf"(?:i )?(?:do not|dont|no longer) (?:want|wish|like) to be (?:on|in) {_LIST}",
    r"(?:i )?(?:do not|dont|no longer) (?:want|wish) to hear from you",
    rf"no (?:more|further) {_WHICH}(?:{_TEXTS}|{_CONTACT})",
    # "remove me", "take my number off your list", "get me off this list", "opt me out"
    rf"(?:remove|delete|erase|unlist|drop) {_ME}(?: (?:from|off|off of) {_LIST})?",
    rf"(?:remove|delete) from {_LIST}",
    rf"be (?:removed from|deleted from|taken off)(?: of)? {_LIST}",
    rf"(?:take|get|keep) {_ME} (?:off|out)(?: of)?(?: {_LIST})?",
    rf"(?:unsubscribe|opt(?:ing)? ?out|opt {_ME} out)(?: {_ME})?(?: (?:from|of) {_LIST})?",
    r"i (?:am|would like|want) (?:unsubscribing|opting out|out)",
    (
        r"(?:i )?(?:revoke|withdraw|take back)(?: my)? (?:consent|permission)(?: to (?:send me texts|text me"
        r"|contact me|texts|messages))?"
    ),
    r"(?:(?:you have|you have got|youve got|you got|this is|its) )?(?:the |a )?wrong (?:number|person)",
    r"leave me alone|lose (?:my|this) number",
)
_MENSAJES = (
    r"(?:mensajes? de texto|mensajes?|mensajitos|textos?|sms|recordatorios?|notificaciones|notificacion|invitaciones"
    r"|avisos|suscripcion|llamadas)"
)
_CUALES = r"(?:(?:los|las|la|sus|su|mi|mis|estos|esos|estas|mas|otros|ningun|de|con|tantos|todos|todas|nuestros)\s)*"
_PREFIERO = r"(?:(?:yo )?(?:prefiero|preferiria|preferimos|prefeririamos)|mejor)"
_LISTA = (
    r"(?:de|en) (?:la|su|sus|esta|esa|las|este|todas sus) (?:listas?|sistema|base de datos|grupo"
    r"|contactos)(?: de (?:mensajes|textos|contactos|envio|correo|difusion|donantes))?"
)
_START_SPANISH = (
    r"(?:(?:por favor|porfavor|porfa|favor de|favor|hola|ya|disculpe|disculpen|oiga|oigan|buenas|buenos dias"
    r"|buenas tardes|si|y|haga[ns]? el favor de"
    r"|(?:quiero|necesito|les pido|le pido|solicito|pido|quisiera|deseo) (?:que )?)\s?)*"
)
_END_SPANISH = (
    r"(?:\s(?:por favor|porfavor|porfa|gracias|muchas gracias|ya|mas|nunca|ahora|ahora mismo"
    r"|inmediatamente|de inmediato|a mi"
    r"|a este (?:numero|telefono|celular)|a mi (?:numero|telefono|celular)|de ustedes|suyos|de su parte|nada"
    r"|ningun mensaje|jamas))*"
)
_VERB_ENVIAR = (
    r"(?:envie[ns]?|mande[ns]?|escriba[ns]?|contacte[ns]?|moleste[ns]?|textee[ns]?|llame[ns]?"
    r"|env[i]es|mandes|escribas|molestes)"
)
_INFINITIVE = (
    r"(?:enviarme|mandarme|escribirme|textearme|molestarme|molestar|contactarme|enviar|mandar|escribir|llamarme)"
)
# "No me vuelvan a escribir", "nunca más vuelvan a escribirme", "no sigan escribiéndome"
_NEVER_AGAIN = (
    rf"(?:no|nunca|jamas)(?: mas)? (?:(?:me|nos) )?(?:vuelva[ns]? a (?:{_INFINITIVE}|contactar|llamar|textear)"
    r"|siga[ns]? (?:enviando|mandando|escribiendo|texteando|molestando|contactando|llamando)(?:me|nos)?)"
)
_MISTAKEN = r"(?:(?:ustedes )?se (?:(?:ha|han) )?equivoc(?:o|aron|ado)|(?:usted |ustedes )?estan? equivocad[oa]s?)"
_SPANISH = (
    rf"(?:no|nunca|jamas) (?:me|nos) {_VERB_ENVIAR}(?: {_CUALES}{_MENSAJES})?",
    rf"{_NEVER_AGAIN}(?: {_CUALES}{_MENSAJES})?",
    rf"no (?:envie[ns]?|mande[ns]?|enviar|mandar|enviarme|mandarme|recibir) {_CUALES}{_MENSAJES}",
    rf"no (?:escribirme|enviarme|mandarme|contactarme|molestarme|textearme)(?: {_CUALES}{_MENSAJES})?",
    (
        rf"no (?:quiero|deseo|quisiera|necesito|queremos|me interesa)(?: seguir)?(?: (?:recibir|recibiendo"
        rf"|tener))? {_CUALES}{_MENSAJES}"
    ),
    r"no (?:quiero|deseo) (?:seguir )?(?:recibir|recibiendo)(?: (?:esto|nada|estos))?",
    rf"no (?:quiero|deseo) que (?:me|nos) {_VERB_ENVIAR}(?: {_CUALES}{_MENSAJES})?",
    rf"no mas {_CUALES}{_MENSAJES}",
    rf"(?:deje[ns]?|deja|dejar|pare[ns]?|para|parar) de {_INFINITIVE}(?: {_CUALES}{_MENSAJES})?",
    rf"dejar de recibir {_CUALES}{_MENSAJES}",
    (
        rf"(?:alto|basta|pare[ns]?|parar|(?:deten(?:er|gan?)|suspend(?:er|an?|e)|interrump(?:ir|an?|e)"
        rf"|(?:cancel|termin|elimin|desactiv|silenci|cort|quit|anul)(?:ar|en?|a)|apag(?:ar|uen?|a))(?:me|nos)?)"
        rf" (?:a )?{_CUALES}{_MENSAJES}"
    ),
    # "Prefiero no recibir textos"
    rf"{_PREFIERO} no (?:seguir )?(?:recibir|recibiendo|tener) {_CUALES}{_MENSAJES}",
    (
        rf"(?:quite[n]?|quita|borre[n]?|borra|saque[n]?|saca|elimine[n]?|elimina|remueva[n]?|retire[n]?|baje[n]?)(?:me"
        rf"|nos)(?: {_LISTA})?"
    ),
    # "Me pueden quitar de su lista", "quiero que me quiten de la lista"
    rf"(?:quitar|borrar|sacar|salir|eliminar|remover|retirar)(?:me|nos)? {_LISTA}",
    rf"(?:me|nos) (?:quite|borre|saque|elimine|remueva|retire|baje)[ns]? {_LISTA}",
    (
        rf"(?:quite[n]?|quitar|borre[n]?|borra|borrar|saque[n]?|elimine[n]?|eliminar|remueva[n]?) (?:mi"
        rf"|este) (?:numero|telefono|celular|nombre)(?: {_LISTA})?"
    ),
    (
        rf"(?:me )?(?:den|de|dar|da|darse|darme|denme|deme|dame) (?:me )?de baja(?: (?:mi numero|mi suscripcion"
        rf"|este numero))?(?: {_LISTA}| de (?:los|estos|sus) mensajes)?"
    ),
    (
        r"(?:me )?(?:desuscrib(?:ir|irme|anme|ame|eme)|desinscrib(?:ir|irme|anme)|doy de baja"
        r"|quiero dar de baja)(?: de (?:la|su|esta) lista| de (?:los|estos|sus) mensajes)?"
    ),
    (
        r"(?:(?:este|tiene el|tienen el|es un|es el|tienen un|tiene un) )?numero equivocado"
        r"|dej(?:e|en|a)(?:me|nos) en paz"
    ),
    rf"(?:(?:este|ese) no es mi (?:numero|telefono|celular) )?{_MISTAKEN} de (?:numero|telefono|celular|persona)",
    rf"(?:este|ese) no es mi (?:numero|telefono|celular) {_MISTAKEN}",
)
_CLEAR = re.compile(
    rf"{_START_OF_SENTENCE}(?:{'|'.join(_ENGLISH)}){_END_OF_SENTENCE}"
    rf"|{_START_SPANISH}(?:{'|'.join(_SPANISH)}){_END_SPANISH}"
)

# "Can you stop sending me these", "Me pueden quitar de su lista": a request is possible, but not clear.
_ASKS = re.compile(
    rf"^{_START_OF_SENTENCE}(?:how )?(?:can|could|will|would|do|may|should) (?:you|u|yall|i|we)(?: (?:guys|all))? "
    rf"|^{_START_SPANISH}(?:como )?(?:(?:me|nos|le) )?"
    r"(?:puede[ns]?|podria[ns]?|puedo|podemos|hago para|hace[ns]? el favor de|haria[ns]? el favor de) "
)

# "Don't cancel my texts", but not "You never stop texting me"
_ASKS_TO_CONTINUE = re.compile(
    rf"(?<!\byou )\b(?:do not|dont|never|not to|did not|didnt) (?:(?:want|need|meant?|please|ever|to|you) )*"
    rf"(?:{_STOP_VERB}|cancel|pause|mute)\b"
    r"|\bno (?:quiero (?:que )?)?(?:me )?(?:(?:cancel|suspend|termin|elimin|desactiv|silenci|cort|quit|apag"
    r"|interrump)\w+|(?:par|dej)(?:e|en|es|ar) de)\b"
)

# Words inside a longer sentence that may ask us to stop -----------------------------------------------------------

_MESSAGE_VERB = r"(?:text|txt|messag|msg|sms|contact|writ|bother|spam|harass)\w*"
_POSSIBLE = re.compile(
    rf"\b(?:stop|quit|cease)(?: with)? (?:sending |getting |receiving )?(?:me |us )?{_WHICH}(?:{_MESSAGE_VERB}"
    rf"|reminders?|notifications?)"
    rf"|\b(?<!\bthe )(?:end|discontinue|turn off) {_WHICH}{_TEXTS}\b(?<!this)"
    rf"|\b(?<!\bthe )(?:{_STOP_VERB}|pause|mute|cancel) {_WHICH}{_NAMED_TEXTS}\b(?<!invitation)(?<! call)"
    rf"|\b{_RATHER_NOT} (?:get|receive|have) {_WHICH}{_NAMED_TEXTS}\b"
    rf"|\b{_PREFIERO} no (?:recibir|tener) {_CUALES}{_MENSAJES}\b"
    r"|(?<!\bi )(?<!\bwe )(?<!\bthey )(?<!\byou )\b(?:do not|dont|never) (?:ever )?(?:text|txt|message|msg"
    r"|contact|bother)\b(?! (?:and|while|when|while) )(?!ed)"
    rf"|(?<!\bi )(?<!\bwe )(?<!\bthey )\b(?:do not|dont|never) (?:ever )?(?:send|write)(?: to)? (?:me|us|any|more"
    rf"|this|these|texts?|messages?)\b"
    rf"|\b(?:dont|do not|no longer) (?:want|wish|need|like) (?:to )?(?:get |getting |receive |be |have "
    rf"|hear )?{_WHICH}(?:texts?|texted|messages?|contacted|sms|msgs?|reminders|notifications)\b"
    rf"|\bno (?:more|further) {_WHICH}(?:texts?|messages?|msgs?|sms|reminders|notifications|contact)\b"
    r"|(?<!not )(?<!dont want to )(?<!never )(?<!didnt )(?<!not want to )\b(?:unsubscribe|opt(?:ing)? ?out"
    r"|opt me out)\b"
    r"|\brevoke\b|(?<!gave you the )(?<!gave the )(?<!had the )(?<!put the )\bwrong (?:number|person)\b"
    r"|\b(?:leave me alone|lose my number|not interested)\b"
    rf"|\b(?:remove|delete|take) {_ME} (?:off|from|out)\b(?! \d)(?! of the hospital)|\boff (?:your|the"
    rf"|this) (?:\w+ )?list\b"
    # Also after the answer to "Which visit?": "X 2 stop"
    rf"|^(?:[cx] )?(?:\d{{1,2}} )?{_START_OF_SENTENCE}(?:stop|unsubscribe|stop all|optout|opt out|alto|basta|no mas"
    r"|no more)$"
    rf"|\bno (?:me|nos) {_VERB_ENVIAR}\b"
    rf"|\b(?:done with|tired of|sick of|fed up with|enough (?:of|with)|had it with|through with|annoyed (?:by|with))"
    rf" (?:getting |receiving )?{_WHICH}(?:texts?|texting|messages?|msgs?|sms"
    r"|reminders|notifications)\b"
    r"|\b(?:call|phone|ring|email) (?:me|us) (?:\w+ ){0,2}(?:instead of|rather than) (?:\w+ )?(?:text|messag|sms)\w*"
    rf"|\b(?:hart|cansad|aburrid|agotad)[oa]s? (?:de|con) (?:recibir )?{_CUALES}{_MENSAJES}\b"
    rf"|\b(?:basta|bueno|suficiente) (?:ya )?(?:de|con) {_CUALES}{_MENSAJES}\b"
    rf"|\bllam[ae]n?(?:me|nos) (?:\w+ ){{0,2}}en (?:vez|lugar) de (?:{_INFINITIVE}|\w* ?{_MENSAJES})\b"
    r"|\bno (?:quiero|deseo|queremos) (?:recibir|seguir recibiendo|mas (?:mensajes|textos)|que me (?:escrib|mand"
    r"|envi|text)\w*|(?:estos |sus |los )?(?:mensajes|textos))\b"
    rf"|\bdej(?:e|en|ar|a) de {_INFINITIVE}\b|\bpar(?:e|en|ar) (?:de |con |ya )*(?:los |sus |estos )?(?:mensajes"
    rf"|textos|{_INFINITIVE})\b"
    r"|\b(?:quit|borr|saqu|elimin|remuev|retir)\w*(?:me|nos) de (?:la|su|esta) lista\b"
    r"|\bde baja\b(?! (?:la|mi|una|esa|esta|las|mis|de la|a la) (?:cita|reserva|turno|donacion))|\ben paz\b"
    r"|\bnumero equivocado\b"
    # "This isn't my number", but not "Ese no es mi número de reserva"
    rf"|\b{_MISTAKEN} de (?:numero|telefono|celular|persona)\b"
    r"|\b(?:este|ese) no es mi (?:numero|telefono|celular)\b(?! de)|\btienen? mal el numero\b"
    r"|\b(?:este|ese) (?:numero|telefono|celular) (?:ya )?no es (?:de|mio)\b"
    r"|\b(?:this|that|thats) (?:is )?(?:not|isnt) (?:my|her|their|\w+s) number\b"
    r"|\bno longer my (?:number|phone|cell)\b"
    r"|\bme (?:confunden?|confundieron|estan? confundiendo) con\b"
    rf"|\bmind (?:stopping {_WHICH}{_TEXTS}|not (?:texting|messaging|contacting|writing|sending))\b"
    rf"|\b{_NEVER_AGAIN}\b|\bno (?:me|nos) lleguen {_CUALES}{_MENSAJES}\b"
    # "Stop, thank you and have a good day"
    rf"|^{_START_OF_SENTENCE}(?:stop|unsubscribe|opt ?out|alto|basta) (?:thanks(?! to)|thank you|thx|gracias(?! a))\b"
)


def parse_reply_meaning(text: str, opt_out_type: str = "") -> ReplyMeaning:
    """Return what a text says about our permission to text (47 CFR 64.1200(a)(10)).

    `opt_out_type` is the provider's own decision (STOP, START or HELP). It has precedence, because the provider has
    acted on it.
    """
    keyword = _find_keyword(text)
    if provider_meaning := _PROVIDER_MEANINGS.get(opt_out_type.upper()):
        is_cancel = keyword == ReplyMeaning.STOP_OR_CANCEL and provider_meaning == ReplyMeaning.STOP
        return keyword if is_cancel else provider_meaning
    if reply_text.is_reaction(text):
        return ReplyMeaning.REACTION
    if keyword:
        return keyword
    sentences = reply_text.list_sentences(text)
    if any(not is_question and _CLEAR.fullmatch(words) for words, is_question in sentences):
        return ReplyMeaning.STOP_IN_WORDS
    may_stop = any(_may_ask_to_stop(words) for words, _is_question in sentences)
    return ReplyMeaning.MAYBE_STOP if may_stop else ReplyMeaning.OTHER


def _may_ask_to_stop(words: str) -> bool:
    asked = _ASKS.sub("", words)
    asked = f"do not {asked.removeprefix('not ')}" if asked.startswith("not ") else asked  # "Can you not text me?"
    return bool(_CLEAR.fullmatch(asked) or _POSSIBLE.search(_ASKS_TO_CONTINUE.sub(" ", words)))


def is_carrier_stop_word(text: str) -> bool:
    return text.strip().casefold() in CARRIER_STOP_WORDS


_PROVIDER_MEANINGS: Mapping[str, ReplyMeaning] = MappingProxyType(
    {"STOP": ReplyMeaning.STOP, "START": ReplyMeaning.START, "HELP": ReplyMeaning.HELP}
)


def _find_keyword(text: str) -> ReplyMeaning:
    plain = _join_spaced_letters(reply_text.normalize_words(" ".join(reply_text.list_own_lines(text))))
    bare = " ".join(_FILLER_WORDS.sub(" ", plain).split()) or plain
    for words in (plain, _REPEATED_WORD.sub(r"\1", bare)):
        for meaning, keywords in _KEYWORDS.items():
            if words in keywords:
                return meaning
    return ReplyMeaning.OTHER


def _join_spaced_letters(plain: str) -> str:
    return _SPACED_LETTERS.sub(lambda match: match.group().replace(" ", ""), plain)
