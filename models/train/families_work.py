"""Families of work: the web, texts, accounts, servers, tickets."""
import values as v
from family import Family, Param

URL = Param("url link address page uri", v.URL,
            "the address / the url / link / page to fetch / web address")
TEXT = Param("text input string content", v.TEXT,
             "the text / the input / what to work on")
WORD = Param("word term text", v.TOPIC, "the word / which word / the term")
ID = Param("id number code reference key", v.ID,
           "the id / its number / the code / reference")
NAME = Param("name user person username who", v.NAME,
             "the name / the person / user's name / who")
SERVICE = Param("service name server app target", v.enum(
    "nginx", "postgres", "redis", "api", "web", "worker", "mail", "billing",
    "search", "auth"), "the service / which service / name")
SERVICE.values = None

FAMILIES = [
    Family(
        "http_fetch",
        "http_fetch fetch fetch_url get_url download_page open_url read_page"
        " web_fetch browse",
        """
        Fetch a web page and return its text
        Get the text of a page[ by its address|]
        Download a page
        Open a link and read it
        Reads a web site
        Load an address from the web
        """,
        {"url": URL},
        """
        !fetch {url}
        !open {url}
        !read [the page |]{url}
        what does {url} say
        what is [on|at] {url}
        !get [me |]{url}
        !download {url}
        !look at {url}
        !load the page {url}
        what can I read [on|at] {url}
        """,
        [("{t}", """
          The page says: {t}
          It says: {t}
          """), ("{code} {reason}", """
          The page could not be [fetched|read]: {code} {reason}.
          I got {code} {reason}.
          """)],
        out={"t": v.TEXT, "code": v.enum("404", "403", "500", "503"),
             "reason": v.enum("not found", "forbidden", "server error",
                              "not available")},
        ask_for={"url": "Which page?"}),
    Family(
        "web_search",
        "web_search search google search_web internet_search find_online"
        " look_up",
        """
        Search the web
        Find pages on the internet
        Look something up online
        Web search for a question
        Ask a search engine
        """,
        {"query": Param("query q text question search", v.QUERY,
                        "what to search for / the query / question")},
        """
        !search [the web |online |]for {query}
        !look up {query}[ online|]
        !google {query}
        !find [pages|something] [on|about] {query}
        what can you find [on|about] {query}
        !search {query}
        who knows about {query}
        """,
        [("{t} ({url})", """
          I found: {t} ({url})
          {url} says: {t}
          """)],
        out={"t": v.TEXT, "url": v.URL},
        ask_for={"query": "What should I search for?"}),
    Family(
        "translate",
        "translate translate_text translation to_language translator",
        """
        Translate a text into another language
        Translation of words and sentences
        Say something in a foreign language
        Translates text
        Turn a text into another language
        """,
        {"text": TEXT,
         "language": Param("language to target lang target_language",
                           v.LANGUAGE, "the language / target language /"
                           " into which language")},
        """
        !translate "{text}" [to|into] {language}
        how do you say "{text}" in {language}
        what is "{text}" in {language}
        !say "{text}" in {language}
        "{text}" in {language} please
        what does one say for "{text}" in {language}
        """,
        [("{w} {w2} {w3}", """
          In {language}: {w} {w2} {w3}
          It is "{w} {w2} {w3}".
          """)],
        out={"w": v.WORD, "w2": v.WORD, "w3": v.WORD},
        ask_for={"language": "Into which language?",
                 "text": "What should I translate?"}),
    Family(
        "count_words",
        "count_words word_count words length count text_length",
        """
        Count the words of a text
        How many words a text has
        Length of a text
        Word counter
        Number of words
        """,
        {"text": TEXT},
        """
        how many words are in "{text}"
        how many words has "{text}"
        !count the words [in|of] "{text}"
        how long is the text "{text}"
        number of words in "{text}"
        """,
        [({"words": "{n}"}, """
          It has {n} words.
          There are {n} words.
          """), ("{n}", """
          There are {n} words[ in it|].
          """)],
        out={"n": v.number(2, 40, False)}),
    Family(
        "word_count_file",
        "word_count count_file_words wc file_word_count words_in_file",
        """
        Count the words in a text file
        How many words a file has
        Number of words of a file
        Counts words, given a path
        Length of a file in words
        """,
        {"path": Param("path file filename document", v.PATH,
                       "file to read / the file / path of the file")},
        """
        how many words [are in|has] {path}
        !count the words [in|of] {path}
        how long is {path}
        number of words in {path}
        word count of {path}
        """,
        [({"words": "{n}"}, """
          {path} has {n} words.
          There are {n} words in {path}.
          """)],
        out={"n": v.number(2, 40000, False)}),
    Family(
        "define",
        "define dictionary meaning word_meaning definition explain_word",
        """
        Meaning of a word
        Look a word up in the dictionary
        Definition of a term
        Explain what a word means
        Defines words
        """,
        {"word": WORD},
        """
        what does {word} mean
        what is the meaning of {word}
        !define {word}
        !look up [the word |]{word} in the dictionary
        !explain the word {word}
        definition of {word}
        """,
        [("{t}", """
          It means: {t}
          {word}: {t}
          """)],
        out={"t": v.TEXT}),
    Family(
        "json_query",
        "json_query query_json jq json_get read_json get_value",
        """
        Read a value from a JSON file
        Query JSON by a path
        Get a field of a JSON document
        Look a key up in JSON
        Take a value out of a JSON file
        """,
        {"file": Param("file path document source", v.same(
            lambda r, h: v.nonsense(r, 1, 2) + ".json"),
            "the file / JSON file / which document"),
         "query": Param("query path key field pointer", v.same(
             lambda r, h: r.choice([v.nonsense(r, 1, 2), v.nonsense(
                 r, 1, 1) + "." + v.nonsense(r, 1, 1), r.choice(v.STEMS)])),
             "which value / path of the value / the key")},
        """
        what is {query} in {file}
        !get {query} [from|out of] {file}
        !read {query} from {file}
        which value has {query} in {file}
        !look up {query} in {file}
        what does {file} say for {query}
        """,
        [("{t}", """
          {query} is {t}.
          It is {t}.
          """)],
        out={"t": v.ID}),
    Family(
        "user_info",
        "get_user user_info lookup_user find_user user account_info",
        """
        Information about a user
        Look a user up
        Account data of a person
        Find a user by name
        User details: role and email
        """,
        {"name": NAME},
        """
        what is the [role|email] of [user |]{name}
        !show [me |]the user {name}
        !get the account of {name}
        !find [the |]user {name}
        tell me about the user {name}
        what do we know about {name}
        """,
        [({"name": "{name}", "role": "{role}", "email": "{mail}"}, """
          {name} is {role} and has the address {mail}.
          The role is {role}, the email {mail}.
          """)],
        out={"role": v.enum("admin", "editor", "guest", "owner", "manager",
                            "reader"), "mail": v.EMAIL}),
    Family(
        "create_user",
        "create_user add_user new_user register_user invite",
        """
        Create a user account
        Register a new user
        Add somebody as a user
        Opens an account with an email
        Make a login for a person
        """,
        {"name": NAME,
         "email": Param("email mail address", v.EMAIL, "the email /"
                        " address of the user")},
        """
        !create a user [called |named |]{name} with [the email |]{email}
        !add [the user |]{name} ({email})
        !register {name} with {email}
        !make an account for {name}, {email}
        new user {name}, {email}
        """,
        [("user {id}", """
          The user {name} is created[ as {id}|].
          {name} has an account now.
          """)],
        out={"id": v.ID},
        ask_for={"email": "What is [the|their] email?"}),
    Family(
        "delete_user",
        "delete_user remove_user drop_user ban_user close_account",
        """
        Delete a user account
        Remove a user
        Close somebody's account
        Takes a user out
        Erase an account by name
        """,
        {"name": NAME},
        """
        !delete the user {name}
        !remove [the |]user {name}
        !close the account of {name}
        !delete {name}'s account
        {name} has left, remove the account
        """,
        [("ok", """
          The account of {name} is deleted.
          I removed {name}.
          """)]),
    Family(
        "create_ticket",
        "create_ticket new_ticket open_issue create_issue report_bug"
        " file_ticket",
        """
        Create a ticket
        Open an issue[ in the tracker|]
        Report a problem
        Files a bug report
        New issue with a title
        """,
        {"title": Param("title text summary subject problem", v.TEXT,
                        "what is wrong / the title / summary of the"
                        " problem")},
        """
        !create a ticket: {title}
        !open [an issue|a ticket] "{title}"
        !report [a bug|the problem]: {title}
        !file a ticket that says "{title}"
        new [ticket|issue]: {title}
        there is a problem, {title}; make a ticket
        """,
        [("{id}", """
          The ticket is {id}.
          I opened {id}.
          """)],
        out={"id": v.ID},
        ask_for={"title": "What is the problem?"}),
    Family(
        "get_ticket",
        "get_ticket show_issue ticket issue ticket_status read_ticket",
        """
        Show a ticket
        State of an issue
        Look up a ticket by its number
        Reads an issue of the tracker
        What a ticket is about
        """,
        {"id": ID},
        """
        what is [the status of |]ticket {id}[ about|]
        !show [me |][ticket|issue] {id}
        what about issue {id}
        is [ticket|issue] {id} [open|closed|fixed]
        !get [ticket|issue] {id}
        !look up the ticket {id}
        """,
        [({"id": "{id}", "title": "{t}", "state": "{s}"}, """
          {id} is {s}: {t}
          Ticket {id} ({s}): {t}
          """)],
        out={"t": v.TEXT, "s": v.enum("open", "closed", "fixed", "new",
                                      "waiting")}),
    Family(
        "service_status",
        "service_status check_service is_up health ping_service status",
        """
        Whether a service is running
        Status of a server
        Health check
        See if an application is up
        Check on a service
        """,
        {"service": SERVICE},
        """
        is {service} [up|running|alive]
        what is the status of {service}
        !check [the service |]{service}
        how is {service} doing
        status of {service}
        does {service} work
        """,
        [({"status": "{s}", "uptime": "{n}"}, """
          {service} is {s} (uptime {n}).
          The status of {service} is {s}.
          """), ("{s}", """
          {service} is {s}.
          """)],
        out={"s": v.enum("running", "down", "stopped", "starting",
                         "degraded"), "n": v.number(1, 900, False)}),
    Family(
        "restart_service",
        "restart_service restart reboot_service bounce reload_service",
        """
        Restart a service
        Stop a service and start it again
        Reboots an application
        Bring a service back up
        Bounce a server
        """,
        {"service": SERVICE},
        """
        !restart {service}
        !restart the {service} service
        !reboot {service}
        !bounce {service}
        {service} hangs, restart it
        !stop {service} and start it again
        """,
        [("restarted", """
          {service} is restarted.
          I restarted {service}.
          """)]),
    Family(
        "deploy",
        "deploy release deploy_version ship rollout publish",
        """
        Deploy a version of a service
        Release a service
        Ship a new version
        Rolls a version out
        Bring a build into production
        """,
        {"service": SERVICE,
         "version": Param("version tag build release", v.same(
             lambda r, h: "%d.%d.%d" % (r.randint(0, 9), r.randint(0, 30),
                                        r.randint(0, 9))),
             "the version / which version / tag")},
        """
        !deploy {service} {version}
        !deploy version {version} of {service}
        !release {service} {version}
        !roll out {version} of {service}
        !ship {version} of {service}
        {service} should run {version}
        """,
        [("deployed", """
          {service} {version} is deployed.
          {service} runs {version} now.
          """)],
        ask_for={"version": "Which version?"}),
    Family(
        "stock_price",
        "stock_price get_stock share_price quote ticker stock_quote",
        """
        Price of a share
        Stock quote by symbol
        What a share is worth
        Look up a stock
        Market price of a company
        """,
        {"symbol": Param("symbol ticker stock company", v.same(
            lambda r, h: "".join(r.choice("ABCDEFGHIKLMNOPRSTUVWXZ")
                                 for _ in range(r.randint(2, 5)))),
            "the symbol / ticker symbol / which stock")},
        """
        what is the [stock |share |]price of {symbol}
        how is {symbol} doing
        how much is [a share of |]{symbol}
        !get the quote of {symbol}
        what does {symbol} trade at
        {symbol} stock price
        """,
        [({"price": "{n}"}, """
          {symbol} is at {n}.
          The price of {symbol} is {n}.
          """)],
        out={"n": v.decimal(1, 900)}),
    Family(
        "get_balance",
        "get_balance balance account_balance money_left check_balance",
        """
        Balance of an account
        How much money is on an account
        Account balance by number
        Check what is left on the account
        State of the bank account
        """,
        {"account": Param("account id number iban", v.ID,
                          "the account / account number / which account")},
        """
        what is the balance of [account |]{account}
        how much [money |]is on [account |]{account}
        !check the balance of {account}
        how much do I have on {account}
        !show me account {account}
        """,
        [({"balance": "{n}", "currency": "{c}"}, """
          There are {n} {c} on {account}.
          The balance is {n} {c}.
          """)],
        out={"n": v.decimal(1, 9000), "c": v.CURRENCY}),
    Family(
        "transfer",
        "transfer send_money pay transfer_money wire payment",
        """
        Transfer money to somebody
        Pay an amount to a person
        Send money
        Makes a payment
        Wire an amount
        """,
        {"amount": Param("amount value sum money", v.amount(1, 2000),
                         "how much / the amount", "number"),
         "to": Param("to recipient person payee", v.FIRST,
                     "to whom / who gets it / recipient")},
        """
        !transfer {amount} to {to}
        !send {amount} to {to}
        !pay {to} {amount}
        !give {to} {amount}
        {to} gets {amount} from me
        I owe {to} {amount}, pay it
        """,
        [("paid {id}", """
          I paid {amount} to {to}.
          {to} gets {amount} (payment {id}).
          """)],
        out={"id": v.ID},
        ask_for={"amount": "How much?", "to": "To whom?"}),
    Family(
        "query_table",
        "count_rows table_size row_count count_records table_rows",
        """
        Number of rows in a table
        Count the records of a table
        How many entries a table has
        Size of a database table
        Rows of a table
        """,
        {"table": Param("table name which", v.pool(v.STEMS),
                        "the table / name of the table")},
        """
        how many rows [are in|has] [the table |]{table}
        !count the [rows|records] [in|of] {table}
        how many [records|entries] are in the table {table}
        how large is the table {table}
        number of rows of {table}
        """,
        [("{n}", """
          {table} has {n} rows.
          There are {n} rows.
          """)],
        out={"n": v.number(0, 90000, False)}),
]
