"""What is said when no tool is called: small talk, what nobody here can do,
what the assistant is, and questions back."""
from expand import lines

SMALL = [(lines(said), lines(reply)) for said, reply in [
    ("""hello
     hi
     hi there
     hey[ there|]
     good [morning|evening|afternoon]
     hello[, how are you|]
     """, """Hello! What can I do for you?
     Hello! How can I help?
     """),
    ("""how are you[ today|]
     how is it going
     are you [ok|well|fine]
     """, """I am fine, thank you. What can I do for you?
     Very well, thank you. How can I help?
     """),
    ("""thank you[ very much|]
     thanks[ a lot|]
     [great|perfect|nice|good], thanks
     thx
     """, """You are welcome.
     You are welcome. Is there anything else?
     """),
    ("""[bye|goodbye|see you|good night]
     that is all
     that's it
     """, """Goodbye!
     Goodbye, until next time.
     """),
    ("""who are you
     what are you
     are you [a human|a robot|real|a person]
     what is your name
     """, """I am errand, a small assistant that answers with the help of tools.
     I am errand, a small language model that works with tools.
     """),
    ("""[ok|okay|fine|good|nice|great|perfect]
     [yes|no], that is [right|all]
     """, """Good. What is next?
     All right.
     """),
    ("""you are [great|stupid|wrong|useless|nice|funny]
     I [love|hate] you
     """, """Thank you for telling me. What can I do for you?
     """),
]]

# Requests that the tools of a dialogue are not made for. Families that are
# not among the tools give more of them.
OTHER = lines("""
tell me a joke
write a poem [about|on] {topic}
what is the meaning of life
who was the first [king|president|pope] of {city}
who wrote the [bible|odyssey|iliad]
what do you think of {topic}
do you like {topic}
explain {topic} to me
why is the sky blue
how does a {thing} work
how do I repair a {thing}
which is better, a {thing} or a {thing2}
what should I eat[ tonight|]
what is the capital of {topic}
who is {name}
sing a song
teach me {language}
who will win the {topic} cup
can you drive a car
make me a sandwich
what is the best {thing}
how old is {name}
how do I learn {language}
give me advice on {topic}
tell me a story about {topic}
is {name} in love with {name2}
what happened in {city} in the war
who invented the {thing}
how many people live in {city}
how tall is {name}
what is the history of {city}
draw a {thing}
book me a flight to {city}
wash the {thing}
walk the dog
!make me [a coffee|tea|dinner]
!clean [the|my] {thing}
!turn [on|off] the [lights|heating|music|{thing}]
!switch [on|off] the [light|tv|heating|{thing}]
!open the [door|window|garage]
!close the [door|window|garage]
!order [a pizza|some food|a taxi]
!reserve a [table|room|seat] in {city}
!buy me [a {thing}|a ticket|a house]
!play [some music|a song|a film]
!tell me [a story|something funny|about {topic}]
!write [an essay|a song|a letter] about {topic}
!compose a poem
!paint me a {thing}
!translate [this|that] into {language}
!say something in {language}
!recommend a [book|film|restaurant]
!be quiet
!sell my {thing}
!repair my {thing}
!drive me to {city}
!fly to {city}
!call {name}
who is the [president|king|mayor] of {city}
who [won|lost] the [last |]{topic} [match|cup|prize]
who [painted|wrote|built|discovered] the {thing}
who is your [favourite|best] [singer|player|friend]
when did {name} [die|live|marry]
when was the war in {city}
where does [the sun go|the wind come from]
where can I [eat|sleep|swim] in {city}
why do [people|cats|dogs|birds] [sleep|sing|cry]
why is [water wet|the grass green|snow white]
what is love
what is the [best|tallest|oldest] [city|river|building]
what does {topic} mean to you
what do you know about {topic}
what should I [wear|do|buy|cook][ today|]
what is your [favourite|best] [colour|food|song]
how do I cook [rice|an egg|pasta]
how do I get to {city}
how far is the moon
how do [planes|birds|ships] fly
how many [stars|people|countries] are there
do you [believe in|understand] {topic}
can you [swim|sing|cook|feel]
is there life on mars
are [cats|dogs] better than [birds|fish]
will it [rain|snow] in {city}
I am [tired|bored|hungry|sad]
I have a headache
""")

CANNOT = lines("""
I have no tool for that. What I can do: {abilities}.
I have no tool for that. What I can do: {abilities}.
I cannot do that with my tools. What I can do: {abilities}.
""")

ASK_ABLE = lines("""
what can you do[ for me|]
what are you able to do
how can you help[ me|]
which tools do you have
what tools [are there|can you use]
help
list your tools
what [else |]can I ask[ you|]
what do you offer
what are you [good for|for|capable of]
what are your [tools|abilities|skills|functions]
which things can you do
tell me what you can do
show me what you can do
how do you work
what can I do with you
what kind of things can you do
""")

ABLE = lines("""
Here is what I can do: {abilities}.
My tools: {abilities}.
""")

NO_TOOLS = lines("""
I have no tools here, so I can only talk a little.
There are no tools here; I can only chat.
""")

GREETING = lines("""
hi, {ask}
hello, {ask}
hey, {ask}
hey {ask}
good morning, {ask}
ok, {ask}
now {ask}
and {ask}
so {ask}
next: {ask}
one more thing: {ask}
{ask}
{ask}
{ask}
{ask}
{ask}
{ask}
""")

IMPERATIVE = lines("""
{ask}
{ask}
{ask}
{ask}
{ask}
please {ask}
{ask}, please
{ask} please
can you {ask}[ for me|]
could you {ask}[ for me|]
could you please {ask}
would you {ask}
will you {ask}
I want you to {ask}
I need you to {ask}
I would like you to {ask}
you should {ask}
let's {ask}
go and {ask}
just {ask}
quickly {ask}
be so kind and {ask}
I'd like to {ask}
I want to {ask}
I need to {ask}
do me a favour and {ask}
""")

QUESTION = lines("""
{ask}
{ask}
{ask}
{ask}
{ask}
please tell me, {ask}
tell me: {ask}
can you tell me {ask}
do you know {ask}
I wonder {ask}
I would like to know {ask}
I want to know {ask}
quick question: {ask}
any idea {ask}
{ask}, please
""")

ERRORS = [
    ("error: {p} not found", "[That did not work|It failed]: {p} was not found."),
    ("error: no such {w}: {p}", "There is no such {w}: {p}."),
    ("error: permission denied",
     "[That was refused|It failed]: permission denied."),
    ("error: the call was denied by the user", "That was denied, so I did not do it."),
    ("error: timed out", "[It took too long|That did not work]: it timed out."),
    ("error: {p} is not allowed", "[It failed|That did not work]: {p} is not allowed."),
    ("the tool took too long and was stopped", "The tool took too long and was stopped."),
    ("error: {n} is out of range", "[It failed|That did not work]: {n} is out of range."),
]
