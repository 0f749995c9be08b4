"""What evaluation asks and training never saw: ways to ask, descriptions of
tools, facts, requests that no tool serves. Nothing in ../train reads this
file, and check() holds that none of it is in what training draws from.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "train"))

import chains  # noqa: E402
import dialogue  # noqa: E402
import passages  # noqa: E402
import shipped  # noqa: E402
import talk  # noqa: E402
from expand import Phrase, lines  # noqa: E402

# family | description | request | request
TOOLS = """
add_event | Enters a date into the calendar | there is "{title}" on {date}, please enter it | on {date} we have "{title}", note that in the calendar
add_task | Adds an entry to the list of things to be done | my list of tasks needs "{text}" | one more job for the list: "{text}"
alarm | Makes the clock ring at a time of day | I have to get up at {time}, ring then | at {time} the clock must ring
book_table | Holds seats in a restaurant for guests | we come for dinner at {time} and are {people}, get us a table | {people} of us would like to eat at {time}, reserve it
call_person | Rings somebody up | I have to talk to {name}, start a call | phone {name} now
cancel_order | Takes back what was ordered | I do not want order {id} any longer, stop it | please withdraw the order {id}
check_stock | Tells how many of a thing the store still has | could I still get a {item} from you | do we run out of {item}s
convert_currency | Turns a sum of one currency into another | what do I get in {to} when I hand over {amount} {from} | {amount} {from} expressed in {to}
convert_units | Expresses a measure in another unit | express {amount} {from} as {to} | {amount} {from} would be how much in {to}
copy_file | Leaves the file where it is and puts the same one elsewhere as well | {path} should also exist as {to} | put another one like {path} at {to}
count_words | Tells the number of words of a given text | tell me the word total for "{text}" | "{text}": that makes how many words
create_ticket | Reports a fault to the developers | report this to the developers: {title} | we found a bug, {title}, please file it
create_user | Gives somebody new access with a name and an email | {name} joins us, mail {email}, set the account up | give {name} access, the mail address is {email}
days_between | Length of the time from a first date to a second | count the days that pass from {from} till {to} | from {from} until {to} is how many days
define | Explains what a word means | explain the word {word} to me | I came across {word}, what is that
delete_file | Takes a file off the disk for good | wipe {path} from the disk | I never want to see {path} again, remove the file
delete_user | Ends somebody's access | {name} does not work here any longer, drop the account | take away the access of {name}
deploy | Brings a version of a service into operation | bring version {version} of {service} into production | put {service} live with {version}
distance | Length of the way between two places | how many kilometres lie between {from} and {to} | is {to} a long way from {from}
edit_file | Puts other words in the place of some words of a file | wherever {path} says {old} it must say {new} | take {old} out of {path} and put {new} there
file_info | Tells bytes and last change of a file | is {path} a large file | of what age and size is {path}
find_contact | Finds how to reach a person | I need to get in touch with {name}, where do I find the details | contact details for {name}, please
find_hotel | Finds places to stay overnight in a town | I stay overnight in {city}, where can I sleep | which places to stay are there in {city}
find_train | Railway connections between two cities | I must get from {from} to {to} by rail | which trains run between {from} and {to}
finish_task | Ticks something off the list of things to be done | I am through with task {id} | you can tick off {id}
get_balance | Tells the sum that an account holds | is there anything left on {account} | tell me how much the account {account} holds
get_events | Tells the appointments of a day | which appointments are there for {day} | am I busy {day}
get_ticket | Shows how far a reported fault is | has anybody worked on ticket {id} | give me the state of the report {id}
hash_file | Computes a digest to tell whether a file was altered | I want to verify {path}, compute its digest | work out the sha256 sum for {path}
heating | Makes a room warmer or colder | I would like it to be {degrees} in the {room} | bring the {room} to {degrees} degrees
http_fetch | Loads what stands at a web address | pull the page behind {url} | what would I see if I opened {url}
json_query | Picks one value out of a JSON document | pick {query} out of the document {file} | which value is under {query} in the document {file}
light | Switches lamps in a room | the lamp in the {room} should be {state} | make it so that the {room} lamp is {state}
list_files | Tells which files lie in a directory | tell me the names of the files below {folder} | go through {folder}, what files do you see
list_tasks | Shows everything on the list that is not done yet | which jobs are still open | is anything left on my list of tasks
move_file | Puts a file somewhere else, so that the old place is empty | {path} belongs at {to}, put it there | from now on {path} must have the name {to}
order_item | Places an order in the shop | get us {count} {item}s from the shop | we need {count} more {item}s, place an order
order_status | Tells when a parcel will come | when will the parcel of order {id} come | is order {id} on its way already
play_music | Starts music | I would like to listen to {what} | start some {what} for us
product_price | Tells how much money an article takes | how much money do I need for a {item} | tell me what I have to pay for the {item}
query_table | Tells how many entries a database table holds | count everything stored in {table} | size of {table} in rows
random_number | Draws a number by chance | draw me some number not above {max} | throw a die that has {max} sides
read_file | Gives the text that a file holds | I would like to know the words in {path} | go through {path} and report what it holds
recall | Gives back what was noted earlier | what was that with {text} that I mentioned earlier | bring back what I once said on {text}
remember | Keeps a fact so that it can be asked for later | this is important for later, "{text}" | you should know from now on that "{text}"
reminder | Speaks up at a time with a message | at {time} I must hear from you: {text} | nudge me when it is {time}: {text}
restart_service | Ends a service and brings it up anew | {service} hangs, give it a fresh start | bring {service} down and up once more
search_documents | Finds the parts of a library that deal with a question | what can you find in our papers regarding {text} | our papers should mention {text}, what is in there
search_files | Finds lines of files that hold a given word | where in my files do I come across {text} | in which of these files can I see the word {text}
send_email | Delivers a letter to a mail address | a mail for {to} please, saying {text} | mail this to {to}: {text}
send_message | Passes a short note on to a person | {to} ought to know this: {text} | pass on to {to} that {text}
service_status | Tells whether a service works | do we have any trouble with {service} | see whether {service} responds
stock_price | Tells what one share of a company is worth | what do they pay for {symbol} at the exchange | where does the share {symbol} stand
sunrise | Tells at what hour it gets light in a place | at what hour does it become light in {city} | until when do they have daylight in {city}
time_in | Tells the hour of the day somewhere else | is it early or late in {city} just now | what do the clocks show in {city}
timer | Rings when some minutes have gone by | ring in {minutes} minutes from now | wake me from my nap in {minutes} minutes
transfer | Sends money to somebody | {to} should receive {amount} from me | let {to} have {amount} of my money
translate | Says the same words in a foreign language | put "{text}" in {language} for me | I need "{text}" as they say it in {language}
user_info | Shows what is stored about a user | what rights has the user {name} | show everything stored about the user {name}
weather | Tells whether it is warm, cold, wet or dry somewhere | is it cold in {city} these days | should I expect rain in {city}
web_search | Looks something up on the internet | see what the internet has on {query} | I wonder what is on the web about {query}
word_count_file | Tells the number of words that a file holds | is {path} a long text, count the words | tell me the word total of the file {path}
write_file | Puts words into a file on disk | "{text}" must go into a file called {path} | I need a file {path}, its text is "{text}"
now | Tells hour and day at present | what does my watch show | tell me how late it has become
"""

CALCULATE = lines("""
be a calculator for me: {sum}
if I take {sum}, where do I end up
my sum is {sum}, the answer please
""")

# first family, second family | request | request
CHAINS = """
read_file send_message | let {2to} know what stands in {1path} | {2to} must hear what {1path} has to say
read_file send_email | mail {2to} everything that {1path} holds | take what is in {1path} and write a mail to {2to} with it
read_file write_file | whatever {1path} holds should also be in {2path} | take the words of {1path} and store them at {2path}
read_file translate | I need the text inside {1path} in {2language} | how would {1path} read in {2language}
read_file remember | keep what {1path} holds in your memory | look at {1path} and do not forget it
search_files read_file | there is a file about {1text}, show me all of it | which file has {1text}, and what else is in it
list_files read_file | {1folder} holds a single file, what does it say | go to {1folder} and read out what lies there
web_search http_fetch | look {1query} up on the internet and open what you find | find {1query} on the web and load that page
http_fetch write_file | {1url} should end up in {2path} | keep the text behind {1url} in a file {2path}
user_info send_email | {1name} is a user of ours and should get this mail: {2text} | find the address of the user {1name} and mail {2text} there
weather send_message | {2to} asks whether it is warm in {1city}, answer that | pass the weather of {1city} on to {2to}
recall send_message | {2to} should hear what I noted on {1text} | look up my note on {1text} and pass it on to {2to}
now days_between | {2to} is how many days away | count the days that are left before {2to}
now write_file | {2path} should hold the date of this day | put down today's date in {2path}
"""

# sentence | search words | question | question
FACTS = """
The {thing} in {city} was built by {full} | {thing} {city} | who built the {thing} in {city} | by whom was the {thing} in {city} built
Members of the {topic} club pay {price} {cur} a year | {topic} club | what do members of the {topic} club pay | how much is the {topic} club a year
The {w} ferry needs {n} minutes to {city} | {w} ferry | how many minutes does the {w} ferry need | how long does the {w} ferry take to {city}
{name} keeps the spare {thing} in the {colour} cupboard | spare {thing} | where does {name} keep the spare {thing} | in which cupboard is the spare {thing}
The {topic} hall holds {n} guests | {topic} hall | how many guests does the {topic} hall hold | what is the capacity of the {topic} hall
Parcels for {w} are collected on {day} at {time} | parcels {w} | when are parcels for {w} collected | on what day does one collect parcels for {w}
The contract with {w} ends on {date} | contract {w} | when does the contract with {w} end | until what date does the contract with {w} run
The alarm of the {topic} store is switched off with {id} | {topic} store alarm | what switches off the alarm of the {topic} store | with which code is the alarm of the {topic} store switched off
"""

NO_TOOL = lines("""
is {topic} worth the trouble
what would you do with a million
my {thing} makes a strange noise, what now
hand me the {thing}
whistle a tune
who was the best {topic} teacher of all time
how can I get rich
carry this {thing} upstairs
will I be happy
is {city} nicer than other cities
guess my age
what were the dinosaurs afraid of
give me your opinion of {name}
cut the grass
feed the cat
how do I tie a tie
did people live longer in the past
what is the secret of {topic}
tidy up the room
lend me some money
what makes a good {thing}
how heavy is an elephant
bake a cake for {name}
vacuum the floor
where do babies come from
teach my dog to sit
iron my shirts
which horse will win
is {name} a nice person
count the hairs on my head
""")

ABLE = lines("""
what is it that you can help with
in what way are you of use
give me an overview of what you can do
what may I ask of you
""")


def rows(block):
    return [[part.strip() for part in row.split(" | ")]
            for row in block.strip().splitlines()]


DESCRIPTIONS = {r[0]: r[1] for r in rows(TOOLS)}
ASKS = {r[0]: [Phrase(x) for x in r[2:]] for r in rows(TOOLS)}
CHAIN_ASKS = {tuple(r[0].split()): [Phrase(x) for x in r[1:]]
              for r in rows(CHAINS)}
FACT_ROWS = [(Phrase(r[0] + "."), r[1], [Phrase(x) for x in r[2:]])
             for r in rows(FACTS)]


def _plain(text):
    return " ".join(text.lower().strip("!?. ").split())


def trained():
    """The phrases that training has, many draws of each."""
    import random
    rng, phrases = random.Random(1), []
    for family in dialogue.REAL.values():
        phrases += family.asks + family.descs
    for chain in chains.CHAINS:
        phrases += chain.asks
    for sentence, _, questions in passages.FACTS:
        phrases += [sentence] + questions
    for block in (talk.OTHER, talk.ASK_ABLE, shipped.SHOW, shipped.CALC,
                  shipped.STORIES, shipped.MOMENT, shipped.HERE,
                  shipped.THERE, shipped.SEARCH, shipped.WRITE, shipped.EDIT,
                  shipped.REMEMBER, shipped.RECALL, shipped.QUERY,
                  shipped.FETCH, shipped.THEN, shipped.FIND_READ,
                  shipped.LIST_READ, shipped.COPY, dialogue.CALCULATE_ASKS):
        phrases += block
    return {_plain(p.pick(rng)) for p in phrases for _ in range(60)}


def check():
    """Nothing here is in training."""
    own = [p.text for ps in list(ASKS.values()) + list(CHAIN_ASKS.values())
           for p in ps] + list(DESCRIPTIONS.values())
    own += [p.text for p in NO_TOOL + ABLE + CALCULATE]
    own += [q.text for s, _, qs in FACT_ROWS for q in qs + [s]]
    both = sorted(set(map(_plain, own)) & trained())
    missing = sorted(set(dialogue.REAL) - set(ASKS) - {
        "calculate", "run_command"})
    return both, missing


if __name__ == "__main__":
    found, absent = check()
    print("held_out: %d phrases in training too, %d families missing" % (
        len(found), len(absent)))
    for text in found + absent:
        print(" ", text)
    sys.exit(1 if found or absent else 0)
