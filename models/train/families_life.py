"""Families of everyday life: people, notes, shopping, the house, travel."""
import values as v
from family import Family, Param

PERSON = Param("to recipient person name contact who receiver", v.FIRST,
               "the person / name of the person / who gets it / recipient")
EMAIL = Param("to recipient email address receiver", v.EMAIL,
              "the address / recipient / who gets it / email address")
TEXT = Param("text message body content msg", v.TEXT,
             "the text / the message / what to say / body of the message")
NAME = Param("name person contact who full_name", v.NAME,
             "the name / name of the person / who / contact's name")
CITY = Param("city place town location where", v.CITY,
             "the city / the place / which town / where")
DATE = Param("date day on when", v.DATE, "the date / which day / on what day")
ID = Param("id number code reference ref", v.ID,
           "the id / its number / the code / reference number")

FAMILIES = [
    Family(
        "send_email",
        "send_email email mail send_mail write_email email_send post_mail",
        """
        Send an email
        [Write|Mail] a message to an email address
        Sends electronic mail
        Deliver a text by email
        Mails somebody
        """,
        {"to": EMAIL, "text": TEXT},
        """
        !send an email to {to}: {text}
        !email {to}: {text}
        !mail {to} that "{text}"
        !write an email to {to} saying "{text}"
        !send "{text}" to {to}
        !write to {to}: {text}
        let {to} know by mail: {text}
        """,
        [("sent {id}", """
          The email to {to} is sent.
          I sent it to {to}.
          """)],
        out={"id": v.ID},
        ask_for={"to": "To which address[ should I send it|]?",
                 "text": "What should [the email|I] say?"}),
    Family(
        "send_message",
        "send_message message text_person sms send_text send_sms chat_send"
        " notify",
        """
        Send a [short |text ]message to a person
        Text somebody
        Sends an SMS
        Tell a contact something
        Message a friend
        """,
        {"to": PERSON, "text": TEXT},
        """
        !send a message to {to}: {text}
        !text {to} "{text}"
        !tell {to} that "{text}"
        !send {to} the message "{text}"
        !let {to} know: {text}
        !message {to}: {text}
        !write {to} "{text}"
        !tell {to}: {text}
        """,
        [("delivered", """
          I told {to}.
          The message to {to} is sent.
          """), ({"status": "sent", "to": "{to}"}, """
          Sent to {to}.
          {to} has your message.
          """)],
        ask_for={"to": "To whom[ should I send it|]?",
                 "text": "What should I [tell {to}|write|say]?"}),
    Family(
        "find_contact",
        "find_contact get_contact phone_number contact lookup_contact"
        " address_book",
        """
        Phone number and address of a person
        Look a person up in the address book
        Find somebody's number
        Get contact details
        Contact data by name
        """,
        {"name": NAME},
        """
        what is the [phone |]number of {name}
        what is {name}'s [phone number|email|address]
        how can I reach {name}
        !find the contact {name}
        !look up {name}
        !give me {name}'s number
        where does {name} live
        who is {name}
        """,
        [({"name": "{name}", "phone": "{n}", "city": "{city}"}, """
          {name} [has the number|can be reached at] {n} and lives in {city}.
          The number of {name} is {n}.
          """), ("{n}", """
          The number is {n}.
          You reach {name} at {n}.
          """)],
        out={"n": v.number(100000, 999999, False), "city": v.CITY},
        ask_for={"name": "Whose number [do you need|should I look up]?"}),
    Family(
        "call_person",
        "call_person phone dial make_call ring ring_up",
        """
        Call a person[ by phone|]
        Make a phone call
        Dials a contact
        Ring somebody up
        Start a call with someone
        """,
        {"name": NAME},
        """
        !call {name}
        !phone {name}
        !ring {name}[ up|]
        !dial {name}
        !give {name} a call
        I want to talk to {name}
        get me {name} on the phone
        """,
        [("calling", """
          I am calling {name}.
          Calling {name} now.
          """)],
        ask_for={"name": "Whom should I call?"}),
    Family(
        "remember",
        "remember save_note store_fact memorize add_note note keep new_note"
        " memo",
        """
        Keep a [note|fact] for later
        Remember something[ for the user|]
        Store a note
        Write a thing down so that it is not lost
        Saves a memo
        """,
        {"text": Param("text note fact content what", v.TEXT,
                       "the note / what to remember / the fact / text to"
                       " keep")},
        """
        !remember that "{text}"
        !remember: {text}
        !note that {text}
        !make a note: {text}
        !take a note: {text}
        !keep in mind that {text}
        !write down that {text}
        !write this down: {text}
        !add a note: {text}
        don't forget: {text}
        for later: {text}
        """,
        [("noted as {id}", """
          I noted it[ as {id}|].
          Noted: {text}
          """), ("ok", """
          I will remember that.
          Noted: {text}
          """)],
        out={"id": v.ID},
        ask_for={"text": "What should I [remember|note]?"}),
    Family(
        "recall",
        "recall find_note search_notes get_note lookup_memory notes"
        " read_notes search_memory",
        """
        Find a note that was kept earlier
        Recall [something|what was remembered]
        Search the notes
        Look into the memory for a topic
        Get stored facts
        """,
        {"text": Param("query topic about text key", v.QUERY,
                       "what to look for / the topic / words of the note")},
        """
        what did I [tell you|say|note] about {text}
        what do you remember about {text}
        do I have notes [on|about] {text}
        !find my note about {text}
        !recall {text}
        what was it about {text}
        !look in my notes for {text}
        is there a note on {text}
        """,
        [("{t}", """
          You noted: {t}
          Your note says: {t}
          """), ("nothing found", """
          There is no note about {text}.
          I have nothing on {text}.
          """)],
        out={"t": v.TEXT}),
    Family(
        "add_task",
        "add_task create_task new_todo add_todo todo_add task",
        """
        Add a task to the list
        Put something on the to-do list
        Create a to-do
        New task
        Adds a thing to be done
        """,
        {"text": Param("title text task what name", v.TEXT,
                       "the task / what is to be done / title of the task")},
        """
        !add the task "{text}"
        !add "{text}" to my [tasks|to-do list|todos]
        !put "{text}" on my [list|to-do list]
        !create a task: {text}
        new task: {text}
        I have to {text}, put it on the list
        todo: {text}
        """,
        [("task {id}", """
          I added the task {id}.
          It is on your list[ as {id}|].
          """)],
        out={"id": v.ID},
        ask_for={"text": "What is the task?"}),
    Family(
        "list_tasks",
        "list_tasks get_todos show_tasks tasks open_tasks todo_list",
        """
        Show the open tasks
        List what is to be done
        The to-do list
        Get all tasks
        Everything that is still to do
        """,
        {},
        """
        what [do I have|is there] to do[ today|]
        !show my [tasks|to-do list]
        !list [my|the|all] [open |]tasks
        which tasks are [open|left]
        what is on my [list|to-do list]
        do I have anything to do
        what's left to do
        """,
        [("1. {t}\n2. {t2}", """
          You have two tasks: {t}, and {t2}.
          There are two things to do: {t}, and {t2}.
          """), ("(none)", """
          Your list is empty.
          There is nothing to do.
          """)],
        out={"t": v.TEXT, "t2": v.TEXT}),
    Family(
        "finish_task",
        "finish_task complete_task task_done close_task mark_done check_off",
        """
        Mark a task as done
        Check a task off
        Completes a to-do
        Close a task by its id
        Finish something on the list
        """,
        {"id": ID},
        """
        !mark [task |]{id} as done
        task {id} is [done|finished]
        !finish task {id}
        !close [task |]{id}
        !check off {id}
        I am done with {id}
        !complete the task {id}
        """,
        [("done", """
          Task {id} is done.
          I checked off {id}.
          """)],
        ask_for={"id": "Which task is done?"}),
    Family(
        "add_event",
        "add_event create_event schedule calendar_add new_appointment"
        " book_meeting plan_event",
        """
        Add an event to the calendar
        Create an appointment
        Put a meeting into the calendar
        Schedule something on a day
        Books a date
        """,
        {"title": Param("title name what event subject", v.QUERY,
                        "what it is / title of the event / its name"),
         "date": DATE},
        """
        !add "{title}" to my calendar on {date}
        !schedule "{title}" [for|on] {date}
        !put "{title}" into the calendar on {date}
        !plan "{title}" on {date}
        !create an event "{title}" on {date}
        I have "{title}" on {date}, put it into the calendar
        !book {date} for "{title}"
        """,
        [("event {id}", """
          {title} is in your calendar on {date}.
          I added it on {date}.
          """)],
        out={"id": v.ID},
        ask_for={"date": "On which day?"}),
    Family(
        "get_events",
        "get_events calendar agenda my_day list_events appointments",
        """
        The events of a day
        What is in the calendar on a day
        List appointments
        Look up the agenda of a date
        Calendar entries
        """,
        {"day": Param("day date when on", v.DAY, "the day / which day")},
        """
        what do I have [on |]{day}
        what is [planned|on my calendar] [on |for |]{day}
        !show my [calendar|appointments] [for|on] {day}
        do I have [time|anything|a meeting] [on |]{day}
        am I free [on |]{day}
        !list my appointments [for|on] {day}
        """,
        [("{t1} {t}", """
          You have {t} at {t1}.
          At {t1} there is {t}.
          """), ("no events", """
          You have nothing on {day}.
          {day} is free.
          """)],
        out={"t": v.QUERY, "t1": v.TIME}),
    Family(
        "product_price",
        "get_price price product_price price_check lookup_price cost_of",
        """
        Price of a product
        What an article costs
        Look up how much something is
        Check the price in the shop
        Costs of an item
        """,
        {"item": Param("product item article name thing", v.THING,
                       "the product / which article / name of the item")},
        """
        how much is [the|a] {item}
        what does [the|a] {item} cost
        what is the price of [the|a] {item}
        !check the price of [the|a] {item}
        !tell me what [the|a] {item} costs
        is the {item} expensive
        price of [the |a |]{item}
        """,
        [({"price": "{n}", "currency": "{c}"}, """
          The {item} costs {n} {c}.
          It is {n} {c}.
          """), ("{n} {c}", """
          The {item} costs {n} {c}.
          """)],
        out={"n": v.decimal(1, 900), "c": v.CURRENCY},
        ask_for={"item": "[Of what|Which product]?"}),
    Family(
        "check_stock",
        "check_stock stock inventory in_stock availability stock_level",
        """
        How many pieces of a product there are
        Check whether an article is in stock
        Stock of an item
        Availability in the store house
        Count what is left of a product
        """,
        {"item": Param("product item article name", v.THING,
                       "the product / which article / the item")},
        """
        how many {item}s [are left|do we have|are there]
        is the {item} [in stock|available]
        do we have [a|any] {item}s[ left|]
        !check the stock of {item}
        are there {item}s left
        stock of {item}
        """,
        [({"count": "{n}"}, """
          There are {n}[ left| in stock].
          We have {n} of them.
          """), ("{n}", """
          There are {n} in stock.
          """)],
        out={"n": v.number(0, 900, False)}),
    Family(
        "order_item",
        "order_item order buy purchase place_order buy_product",
        """
        Order a product
        Buy something[ in the shop|]
        Place an order for an article
        Purchases an item
        Orders a number of pieces
        """,
        {"item": Param("product item article what", v.THING,
                       "the product / what to order / article"),
         "count": Param("count quantity number pieces how_many",
                        v.number(2, 60), "how many / the number of pieces",
                        "integer")},
        """
        !order {count} {item}s
        !buy {count} {item}s
        I [need|want] {count} {item}s, order them
        !get me {count} {item}s
        !place an order for {count} {item}s
        !purchase {count} {item}s
        """,
        [("order {id}", """
          I ordered {count} of them, the order is {id}.
          The order {id} is placed.
          """)],
        out={"id": v.ID},
        ask_for={"count": "How many?"}),
    Family(
        "order_status",
        "order_status track_order get_order where_is_order order_info"
        " check_order",
        """
        [Status|State] of an order
        Where a delivery is
        Track a parcel
        Look up an order by its number
        When an order will arrive
        """,
        {"id": ID},
        """
        where is [my |the |]order {id}
        what is the status of [order |]{id}
        !track [order |]{id}
        when does order {id} arrive
        has {id} been sent
        !check order {id}
        what about order {id}
        """,
        [({"status": "{s}", "arrives": "{day}"}, """
          Order {id} is {s} and arrives on {day}.
          It is {s} and will be there on {day}.
          """), ("{s}", """
          Order {id} is {s}.
          """)],
        out={"s": v.enum("sent", "delivered", "waiting", "packed", "delayed",
                         "lost", "paid"), "day": v.pool(v.DAYS[:7])},
        ask_for={"id": "What is the number of the order?"}),
    Family(
        "cancel_order",
        "cancel_order stop_order revoke_order order_cancel undo_order",
        """
        Cancel an order
        Stop an order before it is sent
        Takes an order back
        Revoke a purchase
        Withdraw an order by its number
        """,
        {"id": ID},
        """
        !cancel [my |the |]order {id}
        !stop order {id}
        I don't want {id} any more
        !take back the order {id}
        !cancel {id}
        order {id} was a mistake, cancel it
        """,
        [("cancelled", """
          Order {id} is cancelled.
          I cancelled {id}.
          """)],
        ask_for={"id": "Which order?"}),
    Family(
        "light",
        "set_light light switch_light lamp lights control_light",
        """
        Switch a light on or off
        Control the lights of a room
        Turns lamps on and off
        Light switch
        Set the light in a room
        """,
        {"room": Param("room where place location", v.enum(
            "kitchen", "bedroom", "bathroom", "office", "garage", "hall",
            "cellar", "garden"), "the room / where / which room"),
         "state": Param("state on_off value set", v.enum("on", "off"),
                        "on or off / the new state")},
        """
        !turn {state} the light in the {room}
        !turn the {room} light {state}
        !switch {state} the [light|lamp] in the {room}
        !switch the {room} light {state}
        !put the {room} light {state}
        light {state} in the {room}
        I want the {room} light {state}
        """,
        [("ok", """
          The light in the {room} is {state}.
          Done, the {room} light is {state}.
          """)]),
    Family(
        "heating",
        "set_heating set_temperature thermostat heating warm_room heater",
        """
        Set the temperature of a room
        Control the heating
        Thermostat
        How warm a room is to be
        Changes the heating to some degrees
        """,
        {"room": Param("room where place", v.enum(
            "kitchen", "bedroom", "bathroom", "office", "garage", "hall",
            "cellar"), "the room / where"),
         "degrees": Param("degrees temperature value target",
                          v.number(5, 28, False), "degrees / how warm",
                          "integer")},
        """
        !set the [heating|temperature] in the {room} to {degrees}[ degrees|]
        !heat the {room} to {degrees} degrees
        !make the {room} {degrees} degrees[ warm|]
        the {room} should be {degrees} degrees
        {degrees} degrees in the {room}
        """,
        [("set", """
          The {room} will be {degrees} degrees.
          The heating in the {room} is set to {degrees} degrees.
          """)]),
    Family(
        "play_music",
        "play_music play music play_song start_music player",
        """
        Play music
        Play a song or an artist
        Starts the music
        Listen to something
        Music player
        """,
        {"what": Param("query song what title artist name", v.QUERY,
                       "what to play / the song or the artist / title")},
        """
        !play {what}
        !play [some|the song|music by] {what}
        I want to [hear|listen to] {what}
        !put on {what}
        !start {what} [in|on] the player
        let me hear {what}
        """,
        [("playing {what}", """
          Playing {what}.
          I put on {what}.
          """)],
        ask_for={"what": "What should I play?"}),
    Family(
        "find_hotel",
        "find_hotel hotels search_hotels hotel_search get_hotels",
        """
        Find a hotel in a city
        Hotels of a place with their prices
        Search a room for the night
        Where to sleep in a town
        Look for hotels
        """,
        {"city": CITY},
        """
        !find [me |]a hotel in {city}
        which hotels are there in {city}
        where can I [sleep|stay] in {city}
        I need a [room|hotel] in {city}
        hotels in {city}
        !look for a hotel in {city}
        """,
        [({"hotel": "{h}", "price": "{n}"}, """
          There is the hotel {h} for {n} a night.
          The hotel {h} costs {n}.
          """)],
        out={"h": v.enum("Astoria", "Bristol", "Central", "Regent", "Lindner",
                         "Savoy", "Imperial", "Adler"),
             "n": v.number(40, 400, False)}),
    Family(
        "find_train",
        "find_train trains next_train train_times connection timetable",
        """
        Next train from one city to another
        Train times between two places
        Find a connection by rail
        Look into the timetable
        When the train leaves
        """,
        {"from": Param("from start origin departure", v.CITY,
                       "from where / the first station / start"),
         "to": Param("to end destination arrival", v.CITY,
                     "to where / the last station / destination")},
        """
        when is the next train from {from} to {to}
        when does the train from {from} to {to} leave
        !find a train from {from} to {to}
        how do I get from {from} to {to} by train
        train from {from} to {to}
        I need a [train|connection] from {from} to {to}
        """,
        [({"leaves": "{t}", "arrives": "{t2}"}, """
          The next train leaves at {t} and arrives at {t2}.
          There is one at {t}, it arrives at {t2}.
          """)],
        out={"t": v.TIME, "t2": v.TIME}),
    Family(
        "book_table",
        "book_table reserve_table restaurant reservation table",
        """
        Reserve a table in a restaurant
        Book a table for some people
        Restaurant reservation
        Get a place to eat
        Table for a number of persons
        """,
        {"people": Param("people persons guests count", v.number(2, 12),
                         "how many people / number of guests", "integer"),
         "time": Param("time at when", v.TIME, "the time / at what time")},
        """
        !book a table for {people} at {time}
        !reserve a table for {people} [people |]at {time}
        we are {people}, book a table at {time}
        a table for {people} at {time}
        I need a table at {time} for {people}
        """,
        [("booked {id}", """
          The table for {people} at {time} is booked.
          Booked: {people} people at {time}.
          """)],
        out={"id": v.ID}),
]
