"""Families around sums, time, weather and the like."""
import values as v
from family import Family, Param

CITY = Param("city location place town where", v.CITY,
             "the city / name of the city / the place / which town / where")
TIME = Param("time at when hour", v.TIME,
             "the time / at what time / when / time as HH:MM")
DAY = Param("day date when on", v.DAY, "the day / which day / when")

FAMILIES = [
    Family(
        "now",
        "now current_time get_time clock today date time_now what_time"
        " get_date",
        """
        The current date, time and weekday. Use it whenever the answer depends on today or on the time
        [Get|Tell] the current [time|date|date and time]
        What time it is now
        Today's date
        Returns date and time
        The clock
        """,
        {},
        """
        what time is it
        what is the time
        what's the [date|time|day][ today| now|]
        what day is [it|today]
        which day is it today
        what [date|day of the week] is it
        !tell me the [time|date]
        how late is it
        do you know what time it is
        what year is it
        which month [is it|do we have]
        do you have the time
        is it [morning|late|Monday|weekend]
        what is today's date
        !give me the current [time|date]
        """,
        [("{date} {time} {day}", """
          It is {day}, {date}, {time}.
          Today is {day}, {date}; it is {time}.
          """),
         ({"date": "{date}", "time": "{time}", "weekday": "{day}"}, """
          It is {day}, {date}, {time}.
          It is {time} on {day}, {date}.
          """),
         ("{date}T{time}:{sec}Z ({day})", """
          It is {day}, {date}, {time}.
          """)],
        out={"date": v.DATE, "time": v.TIME, "day": v.pool(v.DAYS[:7]),
             "sec": v.enum("05", "17", "28", "39", "44", "51")}),
    Family(
        "weather",
        "get_weather weather current_weather weather_now check_weather"
        " city_weather weather_report local_weather forecast",
        """
        [Current|The] weather [in|of|for] a [city|town|place]
        Get the weather
        Tell [what|how] the weather is
        Temperature and sky [in|over] a city
        Weather [report|data] for a place
        Look up weather conditions
        """,
        {"city": CITY,
         "unit": Param("unit units scale", v.enum("celsius", "fahrenheit"),
                       "the unit / unit of the temperature / celsius or"
                       " fahrenheit", optional=1.0)},
        """
        [what is|what's|how is|how's] the weather in {city}[ today| now| like|]
        what is the weather like in {city}
        how [warm|cold|hot] is it in {city}[ now| today|]
        is it [raining|sunny|cold|warm|snowing] in {city}
        does it [rain|snow] in {city}
        do I need [an umbrella|a coat|a jacket] in {city}
        !tell me the weather in {city}
        !check the weather [in|for] {city}
        !get the [temperature|weather] [in|for|of] {city}
        weather [in |]{city}
        what is the temperature in {city}
        I am going to {city}, [what is the weather|do I need an umbrella]
        """,
        [({"temperature": "{n}", "sky": "{sky}"}, """
          It is {n} degrees and {sky} in {city}.
          In {city} it is {sky}, {n} degrees.
          The weather in {city}: {sky}, {n} degrees.
          """),
         ("{sky}, {n} C", """
          It is {sky} in {city}, {n} degrees.
          In {city} it is {n} degrees and {sky}.
          """)],
        with_={"unit": " in {unit}"},
        out={"n": v.number(-12, 38, False), "sky": v.enum(
            "sunny", "cloudy", "rainy", "windy", "foggy", "clear", "snowy",
            "stormy", "dry", "overcast")},
        ask_for={"city": "[For which city|Which city do you mean]?"}),
    Family(
        "timer",
        "set_timer timer start_timer countdown egg_timer new_timer",
        """
        [Start|Set] a timer[ for some minutes|]
        Count down a number of minutes
        Rings after some minutes
        Makes a timer that goes off
        Start a countdown
        """,
        {"minutes": Param("minutes duration mins length", v.number(2, 90),
                          "minutes / how many minutes / the minutes to wait",
                          "integer")},
        """
        !set a timer for {minutes} minutes
        !start a [timer|countdown] of {minutes} minutes
        !wake me in {minutes} minutes
        timer {minutes} minutes
        !count down {minutes} minutes
        !ring in {minutes} minutes
        !let me know when {minutes} minutes are over
        {minutes} minutes on the timer
        """,
        [("timer set", """
          The timer runs for {minutes} minutes.
          I set a timer for {minutes} minutes.
          """)],
        ask_for={"minutes": "[For how many|How many] minutes?"}),
    Family(
        "reminder",
        "set_reminder remind reminder add_reminder create_reminder remind_me"
        " new_reminder",
        """
        [Set|Create|Add] a reminder
        Remind the user of something at a time
        Reminds of a thing to do
        Store a reminder with a time
        Makes sure that something is not forgotten
        """,
        {"text": Param("text what message note about", v.TEXT,
                       "what to remind of / the text / what is to be done"),
         "time": TIME},
        """
        !remind me at {time}: {text}
        !set a reminder for {time}: {text}
        !remind me at {time} that "{text}"
        !add a reminder "{text}" at {time}
        at {time}, remind me: {text}
        !make sure I don't forget at {time}: {text}
        """,
        [("reminder {id} set", """
          I will remind you at {time}: {text}
          Done, the reminder for {time} is set.
          """)],
        out={"id": v.ID}),
    Family(
        "alarm",
        "set_alarm alarm wake_up add_alarm alarm_clock",
        """
        Set an alarm
        Set the alarm clock
        Wakes the user at a time
        Adds an alarm for a given time
        Ring at a time
        """,
        {"time": TIME},
        """
        !set an alarm for {time}
        !wake me [up |]at {time}
        alarm at {time}
        !set the alarm [clock |]to {time}
        I have to get up at {time}
        !ring at {time}
        """,
        [("ok", """
          The alarm is set for {time}.
          I set the alarm to {time}.
          """)]),
    Family(
        "convert_currency",
        "convert_currency exchange currency_converter convert_money fx"
        " exchange_money",
        """
        Convert an amount of money [to|into] another currency
        Exchange rates: convert money
        Change an amount from one currency to another
        Currency conversion
        What some money is in another currency
        """,
        {"amount": Param("amount value sum money", v.amount(1, 5000),
                         "the amount / how much / amount of money",
                         "number"),
         "from": Param("from source from_currency base", v.CURRENCY,
                       "currency to convert from / source currency, a code"
                       " such as EUR"),
         "to": Param("to target to_currency quote", v.CURRENCY,
                     "currency to convert to / target currency")},
        """
        !convert {amount} {from} to {to}
        how much is {amount} {from} in {to}
        what is {amount} {from} in {to}
        {amount} {from} in {to}
        !change {amount} {from} into {to}
        how many {to} do I get for {amount} {from}
        !exchange {amount} {from} [to|for] {to}
        """,
        [({"result": "{r}"}, """
          {amount} {from} [is|are] {r} {to}.
          That is {r} {to}.
          """), ("{r} {to}", """
          {amount} {from} [is|are] {r} {to}.
          You get {r} {to}.
          """)],
        out={"r": v.decimal(1, 9000)}),
    Family(
        "convert_units",
        "convert_units unit_converter convert units measure_convert",
        """
        Convert a measure [to|into] another unit
        Convert between units: km, miles, kg, pounds and so on
        Change the unit of a value
        Unit conversion
        Translates lengths and weights
        """,
        {"amount": Param("value amount number quantity", v.amount(1, 900),
                         "the value / how much / number to convert",
                         "number"),
         "from": Param("from unit from_unit source", v.enum(
             "km", "miles", "meters", "feet", "inches", "kg", "pounds",
             "grams", "liters", "gallons"), "unit to convert from / its unit"),
         "to": Param("to target to_unit into", v.enum(
             "km", "miles", "meters", "feet", "inches", "kg", "pounds",
             "grams", "liters", "gallons"), "unit to convert to / new unit")},
        """
        !convert {amount} {from} to {to}
        how many {to} are {amount} {from}
        what is {amount} {from} in {to}
        {amount} {from} in {to}
        how much is {amount} {from} in {to}
        !turn {amount} {from} into {to}
        """,
        [("{r}", """
          {amount} {from} are {r} {to}.
          That is {r} {to}.
          """), ({"value": "{r}", "unit": "{to}"}, """
          {amount} {from} are {r} {to}.
          """)],
        out={"r": v.decimal(1, 9000)}),
    Family(
        "random_number",
        "random_number random roll_dice dice pick_number rand",
        """
        Draw a random number
        A random integer up to a limit
        Rolls a die
        Pick a number by chance
        Random number generator
        """,
        {"max": Param("max limit sides up_to high", v.number(4, 1000),
                      "the largest number / upper limit / highest",
                      "integer")},
        """
        !give me a random number [up to|from 1 to|between 1 and] {max}
        !pick a number [up to|between 1 and] {max}
        !roll a die with {max} sides
        !draw a random number [below|not above] {max}
        a random number up to {max}
        """,
        [("{r}", """
          The number is {r}.
          I drew {r}.
          """)],
        out={"r": v.number(1, 900, False)}),
    Family(
        "days_between",
        "days_between date_diff days_until count_days date_distance",
        """
        Number of days between two dates
        Count the days from one date to another
        How far apart two dates are
        Date difference
        Works out days between dates
        """,
        {"from": Param("from start start_date first", v.DATE,
                       "first date / the start / from when"),
         "to": Param("to end end_date second", v.DATE,
                     "second date / the end / until when")},
        """
        how many days [are there |lie |]between {from} and {to}
        how many days from {from} to {to}
        !count the days between {from} and {to}
        how long is it from {from} to {to}
        how far apart are {from} and {to}
        """,
        [("{r}", """
          There are {r} days between {from} and {to}.
          It is {r} days.
          """)],
        out={"r": v.number(2, 2900, False)}),
    Family(
        "time_in",
        "time_in world_clock local_time time_zone city_time",
        """
        The time in a city
        Local time [of|at] a place
        What time it is somewhere else
        World clock
        Time of day in another city
        """,
        {"city": CITY},
        """
        what time is it in {city}
        what is the [time|local time] in {city}
        how late is it in {city}
        !tell me the time in {city}
        is it [night|day] in {city}
        time in {city}
        """,
        [("{t}", """
          It is {t} in {city}.
          In {city} it is {t}.
          """)],
        out={"t": v.TIME}),
    Family(
        "sunrise",
        "sunrise sun_times sunset get_sunset daylight",
        """
        Times of sunrise and sunset
        When the sun rises [and sets |]in a city
        Sunrise and sunset of a place
        Sun times
        Daylight hours in a town
        """,
        {"city": CITY},
        """
        when does the sun [rise|set] in {city}
        when is [sunrise|sunset] in {city}
        what time is [sunrise|sunset] in {city}
        sunset in {city}
        how long is it light in {city}
        """,
        [({"sunrise": "{t}", "sunset": "{t2}"}, """
          In {city} the sun rises at {t} and sets at {t2}.
          Sunrise is at {t}, sunset at {t2}.
          """)],
        out={"t": v.enum("5:48", "6:12", "6:37", "7:04", "7:31", "8:02"),
             "t2": v.enum("16:21", "17:09", "18:40", "19:55", "20:47")}),
    Family(
        "distance",
        "distance get_distance how_far route_length travel_distance",
        """
        Distance between two cities
        How far it is from one place to another
        Kilometres between places
        Length of the way between two towns
        Measures a route
        """,
        {"from": Param("from start origin source", v.CITY,
                       "where it starts / from where / the first city"),
         "to": Param("to end destination target", v.CITY,
                     "where it ends / to where / the second city")},
        """
        how far is it from {from} to {to}
        what is the distance [between {from} and {to}|from {from} to {to}]
        how many [km|kilometres] is it from {from} to {to}
        distance {from} {to}
        how far apart are {from} and {to}
        how long is the way from {from} to {to}
        """,
        [("{n} km", """
          It is {n} km from {from} to {to}.
          The distance is {n} km.
          """), ({"km": "{n}"}, """
          {from} and {to} are {n} km apart.
          It is {n} km.
          """)],
        out={"n": v.number(20, 9000, False)}),
]
